package operations_test

import (
	"testing"

	"hubledger/services/internal/operations"
)

// Of one generation of the log the highest sequence is remembered, of several the last.
func TestSeenLog(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c operations.Config) {
		s := open(t, c)
		if g, seq, err := s.SeenLog(t.Context()); g != "" || seq != 0 || err != nil {
			t.Errorf("at first: %q, %d, %v", g, seq, err)
		}
		for _, step := range []struct {
			generation string
			seq, want  uint64
		}{{"a", 5, 5}, {"a", 3, 5}, {"a", 7, 7}, {"b", 2, 2}} {
			check(t, s.SeeLog(t.Context(), step.generation, step.seq))
			if g, seq, err := s.SeenLog(t.Context()); g != step.generation || seq != step.want || err != nil {
				t.Errorf("after %+v: %q, %d, %v", step, g, seq, err)
			}
		}
	})
}

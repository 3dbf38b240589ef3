package balancer

import (
	"testing"
	"time"
)

// A colour that loses everything keeps a weight of 1 until the other one surely has its own;
// one that never had any gets none.
func TestWeightsOverlap(t *testing.T) {
	s, begin := &steadier{was: map[string]weight{}}, time.Unix(0, 0)
	for _, step := range []struct {
		after   time.Duration
		subject string
		percent int
		want    int
	}{
		{0, "green", 0, 0},
		{0, "blue", 100, 100},
		{time.Second, "blue", 50, 50},
		{time.Second, "green", 50, 50},
		{2 * time.Second, "blue", 0, 1},
		{2 * time.Second, "green", 100, 100},
		{2*time.Second + overlap - 1, "blue", 0, 1},
		{2*time.Second + overlap, "blue", 0, 0},
		{time.Minute, "blue", 0, 0},
		{time.Minute, "blue", 100, 100}, // back
		{time.Minute, "green", 0, 1},
		{time.Minute + time.Second, "green", 10, 10}, // and again before it was over
		{2 * time.Minute, "green", 0, 1},
		{2*time.Minute + overlap, "green", 0, 0},
	} {
		if got := s.answer(step.subject, step.percent, begin.Add(step.after)); got != step.want {
			t.Errorf("after %v %s with %d %% is answered %d, not %d", step.after, step.subject, step.percent, got, step.want)
		}
	}
	if len(s.was) != 1 {
		t.Errorf("kept is %v", s.was)
	}
}

package command

import (
	"context"
	"testing"
)

// A follower is a read model, and the log that it follows.
type follower struct{ position, last uint64 }

func (f *follower) Position() uint64                        { return f.position }
func (f *follower) LastSeq(context.Context) (uint64, error) { return f.last, nil }
func (f *follower) Wait(_ context.Context, seq uint64) error {
	f.position = max(f.position, seq)
	return nil
}

// A second look finds more when the read model was behind at the first one, whether it
// has caught up in the meantime or not.
func TestLook(t *testing.T) {
	for name, c := range map[string]struct {
		before, after, last uint64 // positions at the first look and behind it; end of the log
		missed              bool
	}{
		"up to date":                    {5, 5, 5, false},
		"behind":                        {4, 4, 5, true},
		"caught up in between":          {4, 5, 5, true},
		"behind an event that is later": {5, 5, 6, true},
	} {
		f := &follower{c.before, c.last}
		for _, look := range []Look{NewLook(f, f), Since(c.before, f, f)} {
			f.position = c.after
			if missed := look.Missed(t.Context()); missed != c.missed || f.position != c.last {
				t.Errorf("%s: missed %v, then at %d", name, missed, f.position)
			}
		}
	}
	if (Look{}).Missed(t.Context()) {
		t.Error("a look into nothing has missed something")
	}
}

package access_test

import (
	"context"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/services/internal/access"
)

// A held is a view that is behind the log by one event, which it has when somebody waits
// for it.
type held struct {
	*hooked
	behind bool
	waits  int
	arrive func()
}

func (v *held) LastSeq(context.Context) (uint64, error) {
	if v.behind {
		return v.Position() + 1, nil
	}
	return v.Position(), nil
}

func (v *held) Wait(context.Context, uint64) error {
	v.waits++
	v.behind = false
	v.arrive()
	return nil
}

// Before it is said that there is no such repository, the accounts have what the log has.
// Who asks waits the same for what is not there and for what may not be seen, and nobody
// waits where the accounts are at the end.
func TestDecisionsWaitForTheLog(t *testing.T) {
	onEach(t, func(t *testing.T, h *hub) {
		w := newWorld(h)
		stranger := h.user("stranger")
		h.wait()
		v := &held{hooked: h.view}
		rights := access.New(access.Config{Read: h.read, View: v, Log: v})
		look := func(what string, p access.Principal, name string, arrive func(), behind, sees bool, waits int) {
			t.Helper()
			v.behind, v.waits = behind, 0
			v.arrive = func() {
				if arrive != nil {
					arrive()
					h.wait()
					rights.Committed(projections.Commit{}, false)
				}
			}
			d, err := rights.Repository(t.Context(), p, name)
			if err != nil || (d.Level >= access.Read) != sees || v.waits != waits {
				t.Errorf("%s: %+v, %v after %d waits", what, d, err, v.waits)
			}
		}
		look("seen", w.user, "acme/app", nil, true, true, 0)
		look("at the end: not there", stranger, "acme/none", nil, false, false, 0)
		look("at the end: not theirs", stranger, "acme/app", nil, false, false, 0)
		look("behind: not there", stranger, "acme/none", nil, true, false, 1)
		look("behind: not theirs", stranger, "acme/app", nil, true, false, 1)
		look("behind: it comes", stranger, "acme/new", func() { h.repository(w.acme, "acme/new", events.Public) }, true, true, 1)
		look("remembered", stranger, "acme/new", nil, true, true, 0)
	})
}

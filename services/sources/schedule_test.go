package sources

import (
	"testing"
	"time"

	"hubledger/projections/builds"
)

func TestPauseAfter(t *testing.T) {
	for _, c := range []struct {
		w           sweep
		every, want time.Duration
	}{
		{sweep{}, 5 * time.Minute, 5 * time.Minute},
		{sweep{Quiet: patience}, 5 * time.Minute, 5 * time.Minute},
		{sweep{Quiet: patience + 1}, 5 * time.Minute, 7*time.Minute + 30*time.Second},
		{sweep{Quiet: patience + 100}, 5 * time.Minute, time.Hour},
		{sweep{Quiet: patience + 100}, 2 * time.Hour, 2 * time.Hour},
		{sweep{Failures: 1, Quiet: patience + 100}, 5 * time.Minute, 30 * time.Second},
		{sweep{Failures: 3}, 5 * time.Minute, 2 * time.Minute},
		{sweep{Failures: 1000}, 5 * time.Minute, time.Hour},
	} {
		if got := pauseAfter(c.w, c.every); got != c.want {
			t.Errorf("after %+v, every %s: %s, want %s", c.w, c.every, got, c.want)
		}
		for range 100 {
			if j := jittered(c.want); j < c.want*4/5 || j > c.want*6/5 {
				t.Fatalf("%s is too far from %s", j, c.want)
			}
		}
	}
}

func TestDueAt(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	next := at.Add(time.Hour)
	for what, c := range map[string]struct {
		s    builds.Watched
		w    sweep
		ok   bool
		want time.Time
	}{
		"never swept":      {builds.Watched{Seq: 4}, sweep{}, false, time.Time{}},
		"nothing happened": {builds.Watched{Seq: 4, Hook: 9}, sweep{At: at, Next: next, Settings: 4, Hook: 9}, true, next},
		"changed":          {builds.Watched{Seq: 5}, sweep{At: at, Next: next, Settings: 4}, true, time.Time{}},
		"rules that test":  {builds.Watched{Seq: 4, Rules: 7}, sweep{At: at, Next: next, Settings: 4}, true, time.Time{}},
		"seen by it":       {builds.Watched{Seq: 4, Rules: 7}, sweep{At: at, Next: next, Settings: 7}, true, next},
		"asked for":        {builds.Watched{Seq: 4}, sweep{At: at, Next: next, Settings: 4, Asked: 2, Answered: 1}, true, time.Time{}},
		"a webhook":        {builds.Watched{Seq: 4, Hook: 10}, sweep{At: at, Next: next, Settings: 4, Hook: 9}, true, at.Add(hookPause)},
		"set back":         {builds.Watched{Seq: 4}, sweep{At: at.Add(2 * time.Hour), Next: next.Add(2 * time.Hour), Settings: 4}, true, time.Time{}},
		"due anyway":       {builds.Watched{Seq: 4, Hook: 10}, sweep{At: at, Next: at, Settings: 4, Hook: 9}, true, at},
	} {
		if got := dueAt(c.s, c.w, c.ok, at.Add(time.Minute)); !got.Equal(c.want) {
			t.Errorf("%s: due at %s, want %s", what, got, c.want)
		}
	}
}

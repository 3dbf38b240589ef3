package uploadlimit

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/services/internal/access"
)

func TestOpenUploadsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(2)
		alice := access.Principal{Kind: access.User, ID: "id of alice", Name: "alice"}
		bob := access.Principal{Kind: access.User, ID: "id of bob", Name: "bob"}
		refused := func(who access.Principal, want bool) {
			t.Helper()
			err := l.Allow(who)
			var e *ExceededError
			if errors.As(err, &e) != want || !want && err != nil {
				t.Fatalf("refused: %v, want %v", err, want)
			}
			if want && (e.Account != who.Name || e.Limit != 2 || e.RetryAfter <= 0) {
				t.Errorf("%+v", e)
			}
		}
		refused(alice, false)
		l.Begun(alice, "first")
		refused(alice, false)
		time.Sleep(time.Hour)
		l.Begun(alice, "second")
		refused(alice, true)
		refused(bob, false)

		l.Ended("unknown")
		refused(alice, true)
		l.Ended("second")
		refused(alice, false)
		l.Ended("second") // once more changes nothing
		l.Begun(alice, "third")
		refused(alice, true)

		time.Sleep(24*time.Hour + time.Second) // the first one is purged by now, and no longer counts
		refused(alice, false)
		l.Begun(alice, "fourth")
		refused(alice, true)

		l.Ended("third")
		l.Ended("fourth")
		if len(l.begins) != 0 || len(l.owner) != 0 {
			t.Errorf("of uploads that have ended it keeps %v and %v", l.begins, l.owner)
		}
	})
}

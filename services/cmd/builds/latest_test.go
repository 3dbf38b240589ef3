package builds

import (
	"testing"
	"time"

	"hubledger/services/internal/apitypes"
)

// The first line of a log says which build it is.
func TestHeadline(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for passed, want := range map[time.Duration]string{-time.Second: "just now", time.Second: "1 second ago", 3*time.Minute + time.Second: "3 minutes ago", 25 * time.Hour: "1 day ago"} {
		v := apitypes.Build{ID: "0191d1a0-0000-7000-8000-0000b9f5a2f0", Ref: "refs/tags/v1.1", Commit: "5a023d53aaaaaaaa", Queued: now.Add(-passed)}
		if got := headline(v, now); got != "build b9f5a2f0: v1.1 at 5a023d53, queued "+want {
			t.Error(got)
		}
	}
}

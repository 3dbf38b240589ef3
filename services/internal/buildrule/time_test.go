package buildrule

import (
	"testing"
	"time"

	"hubledger/events"
)

// A rule may bound its builds, in words that mean one time only, and not beyond what a
// build may have.
func TestLimits(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "1m": time.Minute, "90m": 90 * time.Minute, "4h": 4 * time.Hour, "240m": 4 * time.Hour,
		"5h": -1, "241m": -1, "0m": -1, "1": -1, "1h30m": -1, "30s": -1, "-1h": -1, "1.5h": -1, "4H": -1, " 4h": -1} {
		r := events.DefaultBuildRule()
		r.Name, r.Branch, r.Tags, r.Timeout, r.Idle = "a", "main", []string{"a"}, text, text
		errs := Validate([]Rule{r}).Errors()
		if want < 0 {
			if len(errs) != 2 || errs[0].Field != "idle" || errs[1].Field != "timeout" {
				t.Errorf("%q: %v", text, errs)
			}
			continue
		}
		if timeout, idle := Limits(r); len(errs) > 0 || timeout != want || idle != want {
			t.Errorf("%q: %s, %s, %v", text, timeout, idle, errs)
		}
	}
}

package builder

import (
	"testing"
	"time"

	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
)

// A rule says whether its steps have a network and how long they may run, but never
// longer than the builder lets them.
func TestRuleLimits(t *testing.T) {
	for name, c := range map[string]struct {
		network       bool
		timeout, idle string
		want          driver.Limits
	}{
		"nothing":       {false, "", "", driver.Limits{}},
		"a network":     {true, "", "", driver.Limits{}},
		"both times":    {false, "45m", "5m", driver.Limits{Time: 45 * time.Minute, Idle: 5 * time.Minute}},
		"one time":      {false, "", "5m", driver.Limits{Idle: 5 * time.Minute}},
		"more than one": {false, "999h", "4h", driver.Limits{Time: driver.DefaultLimits.Time, Idle: driver.DefaultLimits.Idle}}, // of a file that was never validated
	} {
		w := newWorld(t)
		r := rule("base")
		r.Network, r.Timeout, r.Idle = c.network, c.timeout, c.idle
		w.queue(20, "c1", r)
		w.start()
		w.await(20, builds.Pushed)
		if got := w.driver.specs()[0]; got.Network != c.network || got.Limits != c.want {
			t.Errorf("%s: network %v, %+v", name, got.Network, got.Limits)
		}
		w.stop()
	}
}

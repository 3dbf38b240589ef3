package deployment

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/hosting"
)

// sick is fleet, and the colours are not healthy.
func sick(s State, colours ...string) Watch {
	w := fleet(s)
	w.Elapsed = func(uint64) time.Duration { return time.Hour }
	for _, o := range w.Hosts {
		for k := range o.Slots {
			for _, colour := range colours {
				if o.Slots[k].ID == SlotID(environment, colour) {
					o.Slots[k].Healthy, o.Slots[k].Error = false, "worker: it has no health check, and is healthy once it has run for 10s"
				}
			}
		}
	}
	return w
}

// passed is a policy by which the hub does all that gates let it, and its gate has passed.
func passed(t *testing.T, step Step) *line {
	t.Helper()
	l := at(t, step, events.DeployPolicy{Steps: []int{10, 50}, Automatic: 1, Pause: 1, Gates: []events.DeployGate{{Name: "g", Kind: events.GateManual}}})
	return l.must(events.DeploymentGateChanged{DeploymentOf: l.Of, Gate: "g", Verdict: events.GatePass})
}

// While neither colour is healthy nothing moves by itself, and a person can go back: the colour of
// before keeps running all the time.
func TestBothUnhealthy(t *testing.T) {
	for _, step := range []Step{Shifting, Held} {
		l := passed(t, step)
		w := sick(l.State, hosting.Blue, hosting.Green)
		if p := Due(l.State, w); p != nil {
			t.Errorf("%s follows in %s", p.EventType(), step)
		}
		_, err := Promote(l.State, w, "I know")
		if want := "green is not healthy on web1, web2 (web1: worker: it has no health check, and is healthy once it has run for 10s; web2: "; !errors.Is(err, ErrNotNow) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", step, err)
		}
		p, err := RollBack(l.State, "both are ill")
		check(t, err)
		l.must(p)
		if got := l.run(func(s State) Watch { return sick(s, hosting.Blue, hosting.Green) }); got != "finished" || l.Sides[hosting.Blue].Phase != hosting.Run || l.Sides[hosting.Blue].Share != 100 {
			t.Errorf("%s: %s, %+v", step, got, l.Sides)
		}
	}
	// After the promotion the colour of before comes up ill: the new one keeps the traffic until that
	// is well.
	l := at(t, Returning, events.DeployPolicy{})
	if got := l.run(func(s State) Watch { return sick(s, hosting.Blue, hosting.Green) }); got != "overdue" || l.Sides[hosting.Green].Share != 100 || l.Sides[hosting.Green].Phase != hosting.Run {
		t.Errorf("%s, %+v", got, l.Sides)
	}
}

// A host that is lost in the middle of a shift holds up what the hub would do by itself, whatever
// gates say; without it the shift goes on, and going back needs nobody.
func TestHostIsLostInMidShift(t *testing.T) {
	for _, step := range []Step{Shifting, Held} {
		lost := func(s State) Watch {
			w := fleet(s)
			w.Elapsed = func(uint64) time.Duration { return time.Hour }
			delete(w.Hosts, "m2")
			return w
		}
		l := passed(t, step)
		if p := Due(l.State, lost(l.State)); p != nil {
			t.Errorf("%s follows in %s without a host", p.EventType(), step)
		}
		if hosts, why := l.Waits(lost(l.State)); len(hosts) != 1 || hosts[0] != w2 || why != "web2 does not answer" {
			t.Errorf("%s waits for %v: %s", step, hosts, why)
		}
		revoked := lost(l.State)
		revoked.Revoked = map[string]bool{"m2": true}
		if _, why := l.Waits(revoked); why != "web2 was revoked, and does not come back: exclude it" {
			t.Error(why)
		}
		if _, err := Promote(l.State, lost(l.State), "I know"); !errors.Is(err, ErrNotNow) || !strings.Contains(err.Error(), "web2 does not answer") {
			t.Error(err)
		}
		back := *l
		p, err := RollBack(back.State, "a host is lost")
		check(t, err)
		if back.must(p); back.Sides[hosting.Blue].Share != 100 || back.Sides[hosting.Green].Share != 0 {
			t.Errorf("%+v", back.Sides)
		}
		p, err = Exclude(l.State, "web2", "lost")
		check(t, err)
		l.must(p)
		if got := l.run(lost); !strings.HasSuffix(got, "promoted finished") || len(l.Sides[hosting.Green].Placement.Web) != 1 || l.Live() != hosting.Green {
			t.Errorf("%s: %q, %s", step, got, l.Step)
		}
	}
}

package deployment

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/hosting"
)

// run appends what is due until nothing is, and says which events those were.
func (l *line) run(watch func(State) Watch) string {
	l.t.Helper()
	var got []string
	for range 30 {
		p := Due(l.State, watch(l.State))
		if p == nil {
			return strings.Join(got, " ")
		}
		l.must(p)
		name := strings.TrimSuffix(strings.TrimPrefix(p.EventType(), "deployment."), ".v1")
		if s, ok := p.(events.DeploymentShifted); ok {
			name += fmt.Sprint("=", s.Share)
		}
		got = append(got, name)
	}
	l.t.Fatalf("it does not end: %v", got)
	return ""
}

func TestWaysThrough(t *testing.T) {
	later := func(s State) Watch {
		w := fleet(s)
		w.Elapsed = func(uint64) time.Duration { return time.Hour }
		return w
	}
	steps := events.DeployPolicy{Steps: []int{5, 25, 50}, Automatic: 60, Gates: []events.DeployGate{{Name: "g", Kind: events.GateManual}}}
	l := created(t).request("d1", 1, events.DeployForward, events.DeployPolicy{})
	for _, c := range []struct {
		do    func()
		watch func(State) Watch
		want  string
		live  string
	}{
		{func() { l.must(events.DeploymentAdmitted{DeploymentOf: l.Of}) }, fleet, "pulled healthy promoted", hosting.Blue},
		{func() {
			l.request("d2", 2, events.DeployForward, events.DeployPolicy{}).must(events.DeploymentAdmitted{DeploymentOf: of("d2")})
		}, fleet, "pulled healthy shifted=50", hosting.Blue},
		{func() { l.must(events.DeploymentPromoted{DeploymentOf: l.Of}) }, fleet, "finished", hosting.Green},
		{func() {
			l.request("d3", 3, events.DeployForward, steps).must(events.DeploymentAdmitted{DeploymentOf: of("d3")})
		}, fleet, "pulled healthy shifted=5", hosting.Green},
		{func() {}, later, "", hosting.Green}, // no verdict yet: inconclusive
		{func() {
			l.must(events.DeploymentGateChanged{DeploymentOf: l.Of, Gate: "g", Verdict: events.GateInconclusive})
		}, later, "", hosting.Green},
		{func() {
			l.must(events.DeploymentGateChanged{DeploymentOf: l.Of, Gate: "g", Verdict: events.GatePass})
		}, later, "shifted=25 shifted=50 promoted finished", hosting.Blue},
		{func() {
			l.request("d4", 2, events.DeployRollback, events.DeployPolicy{}).must(events.DeploymentAdmitted{DeploymentOf: of("d4")})
		}, fleet, "pulled healthy promoted finished", hosting.Green},
		{func() {
			l.request("d5", 5, events.DeployForward, steps).must(events.DeploymentAdmitted{DeploymentOf: of("d5")})
		}, fleet, "pulled healthy shifted=5", hosting.Green},
		{func() { l.must(events.DeploymentCancelled{DeploymentOf: l.Of}) }, fleet, "finished", hosting.Green},
		{func() {
			p := steps
			p.RollBack = true
			l.request("d6", 5, events.DeployForward, p).must(events.DeploymentAdmitted{DeploymentOf: of("d6")})
			l.run(fleet)
			l.must(events.DeploymentGateChanged{DeploymentOf: l.Of, Gate: "g", Verdict: events.GateFail, Reason: "x"})
		}, fleet, "rolled_back finished", hosting.Green},
		{func() {}, func(s State) Watch { w := fleet(s); w.Kept = 48 * time.Hour; return w }, "torn_down", hosting.Green},
		{func() {
			l.request("d7", 7, events.DeployForward, events.DeployPolicy{}).must(events.DeploymentAdmitted{DeploymentOf: of("d7")})
			l.run(fleet)
			l.must(events.DeploymentPromoted{DeploymentOf: l.Of}, events.DeploymentRolledBack{DeploymentOf: l.Of})
		}, fleet, "healthy finished", hosting.Green},
	} {
		c.do()
		if got := l.run(c.watch); got != c.want || l.Live() != c.live {
			t.Fatalf("%s: %q, not %q; live is %s, not %s", l.Of.Deployment, got, c.want, l.Live(), c.live)
		}
	}
	if got := Fold(l.list); !reflect.DeepEqual(got, l.State) {
		t.Errorf("folded it is\n%+v\nnot\n%+v", got, l.State)
	}
}

// One host that does not do its part holds everything up; after the deadline it is said
// which one, once, and without it the deployment goes on.
func TestOneHostIsAway(t *testing.T) {
	for _, step := range []Step{Pulling, Starting, Draining, Returning, Leaving} {
		l := at(t, step, events.DeployPolicy{})
		late := false
		away := func(s State) Watch {
			w := fleet(s)
			delete(w.Hosts, "m2")
			w.Elapsed = func(uint64) time.Duration {
				if late {
					return time.Hour
				}
				return 0
			}
			return w
		}
		if got := l.run(away); got != "" {
			t.Errorf("%s goes on without a host: %s", step, got)
		}
		late = true
		if got := l.run(away); got != "overdue" || len(l.Overdue.Hosts) != 1 || l.Overdue.Hosts[0] != w2 || l.Overdue.Why != "web2 does not answer" {
			t.Errorf("%s: %s, %+v", step, got, l.Overdue)
		}
		late = false
		p, err := Exclude(l.State, "web2", "dead")
		check(t, err)
		l.must(p)
		if p, err := Exclude(l.State, "web1", "dead, too"); err == nil && step != Draining && step != Leaving {
			t.Errorf("%s: the last host can be excluded: %v", step, p)
		}
		if got := l.run(away); got == "" {
			t.Errorf("%s does not go on without the host", step)
		}
	}
}

// An observation of something that was asked before counts for nothing.
func TestStaleObservations(t *testing.T) {
	l := at(t, Ready, events.DeployPolicy{})
	then := fleet(l.State)
	l.must(events.DeploymentShifted{DeploymentOf: l.Of, Share: 50, Held: true}, events.DeploymentPromoted{DeploymentOf: l.Of})
	if got := l.run(func(State) Watch { return then }); got != "" {
		t.Errorf("%s follows from what hosts saw before", got)
	}
}

func TestEngineIsAway(t *testing.T) {
	l := at(t, Starting, events.DeployPolicy{})
	w := fleet(l.State)
	o := w.Hosts["m2"]
	o.Engine.Error = "connection refused"
	w.Hosts["m2"] = o
	if p := Due(l.State, w); p != nil {
		t.Errorf("%s follows from what a host saw before its engine went", p.EventType())
	}
	if hosts, why := l.Waits(w); len(hosts) != 1 || why != "web2: its engine does not answer: connection refused" {
		t.Errorf("%v, %s", hosts, why)
	}
}

func TestPromote(t *testing.T) {
	gates := events.DeployPolicy{Gates: []events.DeployGate{{Name: "g", Kind: events.GateManual}}}
	l := at(t, Held, gates)
	if _, err := Promote(l.State, fleet(l.State), ""); !errors.Is(err, ErrGates) {
		t.Error(err)
	}
	p, err := Promote(l.State, fleet(l.State), "I know")
	if got, ok := p.(events.DeploymentPromoted); err != nil || !ok || !slices.Equal(got.Over, []string{"g"}) {
		t.Errorf("%+v, %v", p, err)
	}
	sick := fleet(l.State)
	for k := range sick.Hosts["m2"].Slots {
		sick.Hosts["m2"].Slots[k].Healthy = false
	}
	if _, err := Promote(l.State, sick, "I know"); !errors.Is(err, ErrNotNow) {
		t.Errorf("what is not healthy is promoted: %v", err)
	}
}

func TestFailure(t *testing.T) {
	l := at(t, Starting, events.DeployPolicy{})
	w := fleet(l.State)
	for k := range w.Hosts["m1"].Slots {
		if s := &w.Hosts["m1"].Slots[k]; s.ID == SlotID(environment, hosting.Green) {
			s.Fatal, s.Error, s.Healthy = true, "it does not start", false
			s.Containers = []hosting.SeenContainer{{Service: "web", State: "exited", ExitCode: 3, Log: strings.Repeat("x", 5000) + "bye"}}
		}
	}
	f, ok := Due(l.State, w).(events.DeploymentFailed)
	if !ok || f.Host != w1 || f.Service != "web" || f.ExitCode != 3 || len(f.Log) != maxTail || !strings.HasSuffix(f.Log, "bye") {
		t.Errorf("%+v", f)
	}
	l.must(f)
	if got := l.run(fleet); got != "finished" || l.Outcome != events.DeploymentHasFailed || l.Live() != hosting.Blue || l.Sides[hosting.Green].Phase != hosting.Keep {
		t.Errorf("%s, %+v", got, l.State)
	}
}

// Stateful services come up with the new colour: why they do not is said, and ends the deployment.
func TestStatefulServiceFails(t *testing.T) {
	l := at(t, Starting, events.DeployPolicy{})
	w := fleet(l.State)
	k := slices.IndexFunc(w.Hosts["m1"].Slots, func(s hosting.Seen) bool { return s.ID == SlotID(environment, "") })
	base := &w.Hosts["m1"].Slots[k]
	base.Healthy, base.Error, base.Containers = false, "its port is taken", []hosting.SeenContainer{{Service: "db", State: "exited", ExitCode: 1}}
	if hosts, why := l.Waits(w); len(hosts) != 1 || hosts[0] != w1 || why != "web1: its port is taken" {
		t.Errorf("%v, %s", hosts, why)
	}
	base.Fatal = true
	if f, ok := Due(l.State, w).(events.DeploymentFailed); !ok || f.Host != w1 || f.Service != "db" || f.Reason != "its port is taken" {
		t.Errorf("%+v", f)
	}
	l = at(t, Pulling, events.DeployPolicy{})
	w = fleet(l.State)
	k = slices.IndexFunc(w.Hosts["m1"].Slots, func(s hosting.Seen) bool { return s.ID == SlotID(environment, "") })
	w.Hosts["m1"].Slots[k].Fatal = true // those of the release of before
	if p, ok := Due(l.State, w).(events.DeploymentPulled); !ok {
		t.Errorf("%+v", p)
	}
}

// Workers are split as the traffic is, over all hosts, and never none on either side; those
// that may run once only are on one side at a time.
func TestWorkers(t *testing.T) {
	service := func(replicas int, once bool) compose.Service {
		return compose.Service{Name: "job", Replicas: replicas, Role: compose.Role{Kind: compose.Worker, Once: once}}
	}
	sum := func(s State, colour string, of compose.Service) int {
		return Run(s, colour, of, "m1") + Run(s, colour, of, "m2")
	}
	for _, c := range []struct {
		step             Step
		replicas         int
		once             bool
		blue, green, max int
	}{
		{Ready, 3, false, 6, 0, 3}, {Shifting, 3, false, 5, 1, 3}, {Held, 3, false, 3, 3, 2}, {Held, 0, false, 0, 0, 0}, {Draining, 3, false, 0, 6, 3}, {Returning, 3, false, 0, 6, 3}, {Leaving, 3, false, 6, 0, 3},
		{Held, 1, true, 2, 0, 1}, {Draining, 1, true, 0, 0, 0}, {Leaving, 1, true, 2, 0, 1}, {Ended, 1, true, 2, 0, 1},
	} {
		s := at(t, c.step, events.DeployPolicy{}).State
		of := service(c.replicas, c.once)
		if blue, green := sum(s, hosting.Blue, of), sum(s, hosting.Green, of); blue != c.blue || green != c.green || Run(s, hosting.Blue, of, "m1") > c.max {
			t.Errorf("%s: of %d on each host blue has %d and green %d, not %d and %d", c.step, c.replicas, blue, green, c.blue, c.green)
		}
	}
	// What is promoted straight from Ready has run before.
	begin := func(l *line, kind string) State {
		l.request("d9", 1, kind, events.DeployPolicy{})
		in := l.In()
		l.must(events.DeploymentAdmitted{DeploymentOf: l.Of})
		if n := sum(l.State, in, service(3, false)) + sum(l.State, in, service(3, true)); n != 0 {
			t.Errorf("%d workers run while images are pulled", n)
		}
		return l.must(events.DeploymentPulled{DeploymentOf: l.Of, Hosts: both}).State
	}
	alone, back, forward := begin(created(t), events.DeployForward), begin(first(t), events.DeployRollback), begin(first(t), events.DeployForward)
	for _, c := range []struct {
		name           string
		s              State
		once           bool
		before, coming int
	}{
		{"first", alone, false, 0, 6}, {"first, once", alone, true, 0, 6}, {"back", back, false, 6, 2}, {"back, once", back, true, 6, 0}, {"forward", forward, false, 6, 0}, {"forward, once", forward, true, 6, 0},
	} {
		if before, coming := sum(c.s, c.s.Out(), service(3, c.once)), sum(c.s, c.s.In(), service(3, c.once)); before != c.before || coming != c.coming || c.coming > 1 && Run(c.s, c.s.In(), service(3, c.once), "m2") != c.coming/2 {
			t.Errorf("%s: the colour of before runs %d and the new one %d, not %d and %d", c.name, before, coming, c.before, c.coming)
		}
	}
	l := first(t)
	if l.Live() != hosting.Blue || sum(l.State, hosting.Blue, service(1, true)) != 2 {
		t.Error("the first deployment does not run workers that run once")
	}
	one := events.Placement{Web: []events.PlacedHost{w1}, Worker: []events.PlacedHost{w1}}
	side := l.Sides[hosting.Blue]
	side.Placement = one
	l.Sides[hosting.Blue] = side
	for machine, gone := range map[string]bool{"m1": false, "m2": true, "m3": true} {
		for _, p := range Plans(l.State, machine) {
			if p.Colour == hosting.Blue && p.Gone != gone {
				t.Errorf("on %s: %+v", machine, p)
			}
		}
	}
}

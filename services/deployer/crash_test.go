package deployer

import (
	"context"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
)

// While a deployment is held by its gates the hub is started again: how long they have passed comes
// from the log, and nothing follows before they were measured anew.
func TestRestartWhileGatesAreHeld(t *testing.T) {
	p := planned(t, plainFile, 1)
	of, blue := p.of(0), []string{planHost}
	p.add(events.DeploymentPulled{DeploymentOf: of, Hosts: blue})
	p.add(events.DeploymentHealthy{DeploymentOf: of, Colour: hosting.Blue, Hosts: blue})
	p.add(events.DeploymentPromoted{DeploymentOf: of})
	state, err := p.state(t.Context(), of.Environment)
	if err != nil {
		t.Fatal(err)
	}
	gate := events.DeployGate{Name: "errors", Kind: events.GatePrometheus, URL: "http://prometheus.test", Query: "errors"}
	request, err := deployment.Request(state, numbered(300), deployment.Wish{Kind: events.DeployForward, Release: 1, Version: 1, Placement: state.Request.Placement, Policy: events.DeployPolicy{Automatic: 600, Gates: []events.DeployGate{gate}}})
	if err != nil {
		t.Fatal(err)
	}
	p.add(request)
	of.Deployment = numbered(300)
	p.add(events.DeploymentAdmitted{DeploymentOf: of})
	p.add(events.DeploymentPulled{DeploymentOf: of, Hosts: blue})
	p.add(events.DeploymentHealthy{DeploymentOf: of, Colour: hosting.Green, Hosts: blue})
	p.add(events.DeploymentShifted{DeploymentOf: of, Share: 50, Held: true})
	passed := p.add(events.DeploymentGateChanged{DeploymentOf: of, Gate: gate.Name, Verdict: events.GatePass})

	c := p.Config
	c.Generation = func() string { return "g" }
	again := newDeployer(c) // it has heard of no host, and measured nothing
	again.look = func(_ context.Context, s deployment.State) deployment.Watch { return again.fleet.Watch(s) }
	known, err := again.known(t.Context(), of.Environment)
	if err != nil || known.State.Step != deployment.Held {
		t.Fatalf("%+v, %v", known.State, err)
	}
	o := hosting.Observation{Generation: "g"}
	for _, plan := range deployment.Plans(known.State, planHost) {
		o.Slots = append(o.Slots, hosting.Seen{ID: deployment.SlotID(of.Environment, plan.Colour), Deployment: plan.Deployment, Fence: plan.Fence, Phase: plan.Phase, Healthy: true})
	}
	if err := again.Observed(t.Context(), planHost, o); err != nil {
		t.Fatal(err)
	}
	at := known.times[passed]
	due := func(after time.Duration) events.Payload {
		return deployment.Due(known.State, again.watch(t.Context(), known, at.Add(after)))
	}
	if p := due(time.Hour); p != nil {
		t.Errorf("%s follows from gates that were not measured since the start", p.EventType())
	}
	st := again.streaks.begin(known.State, gate, at)
	st.times, st.busy = 1, false
	if p := due(599 * time.Second); p != nil {
		t.Errorf("%s follows too early", p.EventType())
	}
	if _, ok := due(600 * time.Second).(events.DeploymentPromoted); !ok {
		t.Errorf("it is not promoted when its gates have passed for ten minutes: %v", due(600*time.Second))
	}
}

// What a host sees that acts upon an older log counts for nothing, whatever its fences are.
func TestObservationsOfAnotherLog(t *testing.T) {
	p := planned(t, plainFile, 1)
	p.look = func(_ context.Context, s deployment.State) deployment.Watch { return p.fleet.Watch(s) }
	state, err := p.state(t.Context(), p.of(0).Environment)
	if err != nil {
		t.Fatal(err)
	}
	o := hosting.Observation{Generation: "the one before", Epoch: 9999, Engine: hosting.Engine{Version: "20.10"},
		Slots: []hosting.Seen{{ID: deployment.SlotID(p.of(0).Environment, hosting.Blue), Deployment: p.of(0).Deployment, Fence: 9999, Phase: hosting.Pull}}}
	for generation, want := range map[string]bool{"the one before": false, "": false, "g": true} {
		if o.Generation = generation; p.Observed(t.Context(), planHost, o) != nil {
			t.Fatal("it is refused")
		}
		w := p.look(t.Context(), state)
		if _, pulled := deployment.Due(state, w).(events.DeploymentPulled); pulled != want {
			t.Errorf("of generation %q: it is pulled: %t", generation, pulled)
		}
		if w.Hosts[planHost].Engine.Version != "20.10" {
			t.Errorf("of generation %q: the host is not heard: %+v", generation, w)
		}
	}
}

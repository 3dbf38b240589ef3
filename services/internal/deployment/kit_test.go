package deployment

import (
	"fmt"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/hosting"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const environment = "env"

func of(deployment string) events.DeploymentOf {
	return events.DeploymentOf{Namespace: "ns", Application: "app", Name: "acme/shop", Environment: environment, Called: "production", Deployment: deployment}
}

var (
	w1, w2 = events.PlacedHost{Machine: "m1", Name: "web1"}, events.PlacedHost{Machine: "m2", Name: "web2"}
	two    = events.Placement{Web: []events.PlacedHost{w1, w2}, Worker: []events.PlacedHost{w1, w2}, Stateful: []events.PlacedHost{w1}}
	both   = []string{"m1", "m2"}
)

// A line is an environment with its events.
type line struct {
	t testing.TB
	State
	list []Event
}

func (l *line) next(p events.Payload) error {
	e := Event{Payload: p, Seq: l.Seq + 1, ID: fmt.Sprint("event-", l.Seq+1), Actor: "alice"}
	n, err := Next(l.State, e)
	if err == nil {
		l.State, l.list = n, append(l.list, e)
	}
	return err
}

func (l *line) must(list ...events.Payload) *line {
	l.t.Helper()
	for _, p := range list {
		if err := l.next(p); err != nil {
			l.t.Fatalf("%s in %s: %v", p.EventType(), l.Step, err)
		}
	}
	return l
}

func created(t testing.TB) *line {
	return (&line{t: t}).must(events.EnvironmentCreated{Namespace: "ns", Application: "app", Name: "acme/shop", Environment: environment, Called: "production"})
}

// request asks for a deployment of a release.
func (l *line) request(deployment string, release int, kind string, p events.DeployPolicy) *line {
	l.t.Helper()
	r, err := Request(l.State, deployment, Wish{Kind: kind, Release: release, Placement: two, Policy: p})
	check(l.t, err)
	return l.must(r)
}

// first brings the first release to an environment.
func first(t testing.TB) *line {
	l := created(t).request("d1", 1, events.DeployForward, events.DeployPolicy{})
	return l.must(events.DeploymentAdmitted{DeploymentOf: of("d1")}, events.DeploymentPulled{DeploymentOf: of("d1"), Hosts: both},
		events.DeploymentHealthy{DeploymentOf: of("d1"), Colour: hosting.Blue, Hosts: both}, events.DeploymentPromoted{DeploymentOf: of("d1")})
}

// at brings a second deployment to a step.
func at(t testing.TB, step Step, p events.DeployPolicy) *line {
	t.Helper()
	switch step {
	case Absent:
		return &line{t: t}
	case Idle:
		return created(t)
	}
	l := first(t).request("d2", 2, events.DeployForward, p)
	d := of("d2")
	way := []struct {
		to Step
		p  events.Payload
	}{{Requested, nil}, {Pulling, events.DeploymentAdmitted{DeploymentOf: d}}, {Starting, events.DeploymentPulled{DeploymentOf: d, Hosts: both}},
		{Ready, events.DeploymentHealthy{DeploymentOf: d, Colour: hosting.Green, Hosts: both}}, {Shifting, events.DeploymentShifted{DeploymentOf: d, Share: 10}},
		{Held, events.DeploymentShifted{DeploymentOf: d, Share: 50, Held: true}}, {Draining, events.DeploymentPromoted{DeploymentOf: d, Reason: "test"}},
		{Returning, events.DeploymentRolledBack{DeploymentOf: d}}, {Leaving, events.DeploymentHealthy{DeploymentOf: d, Colour: hosting.Blue, Hosts: both}},
		{Ended, events.DeploymentFinished{DeploymentOf: d, Outcome: events.DeploymentWasRolledBack}}}
	for _, s := range way {
		if s.p != nil {
			l.must(s.p)
		}
		if l.Step != s.to {
			t.Fatalf("it is %s, not %s", l.Step, s.to)
		}
		if s.to == step {
			return l
		}
	}
	t.Fatalf("no way leads to %s", step)
	return nil
}

// fleet is two hosts that do what they are told, at once.
func fleet(s State) Watch {
	w := Watch{Hosts: map[string]hosting.Observation{}, Elapsed: func(uint64) time.Duration { return 0 }}
	for _, m := range both {
		w.Hosts[m] = obeying(s, m)
	}
	return w
}

func obeying(s State, machine string) (o hosting.Observation) {
	for _, p := range Plans(s, machine) {
		if !p.Gone {
			o.Slots = append(o.Slots, hosting.Seen{ID: SlotID(environment, p.Colour), Deployment: p.Deployment, Fence: p.Fence, Phase: p.Phase, Healthy: p.Phase == hosting.Run, Drained: p.Phase == hosting.Drain || p.Phase == hosting.Keep})
		}
	}
	return o
}

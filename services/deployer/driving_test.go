package deployer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
)

const (
	prodID = lateID + "3"
	lateID = "0191d1a0-0000-7000-8000-00000000000"
)

// lively is the service in a life that may be killed, on hosts that do at once what they are told.
func lively(t testing.TB, l *processtest.Life) *Deployer {
	t.Helper()
	db, view := l.ReadModel(&deploys.Projection)
	s := newDeployer(Config{Log: l.Log, Read: deploys.Reader{DB: db}, View: view})
	s.admit = func(context.Context, deployment.State) ([]string, error) { return nil, nil }
	s.look = func(_ context.Context, state deployment.State) deployment.Watch {
		w := deployment.Watch{Hosts: map[string]hosting.Observation{}, Elapsed: func(uint64) time.Duration { return time.Hour }}
		for _, side := range state.Sides {
			for _, h := range deployment.Hosts(side.Placement) {
				o := hosting.Observation{}
				for _, p := range deployment.Plans(state, h.Machine) {
					o.Slots = append(o.Slots, hosting.Seen{ID: deployment.SlotID(prodID, p.Colour), Deployment: p.Deployment, Fence: p.Fence, Phase: p.Phase, Healthy: p.Deployment != broken, Fatal: p.Deployment == broken, Drained: true})
				}
				w.Hosts[h.Machine] = o
			}
		}
		return w
	}
	return s
}

// broken is a deployment whose release does not start.
const broken = lateID + "6"

// An environment is one that a test prepares, by its events.
type environment struct {
	t     testing.TB
	life  *processtest.Life
	of    events.DeploymentOf
	state deployment.State
}

// prepare makes one with a release that runs on two hosts.
func prepare(t testing.TB, l *processtest.Life) *environment {
	e := &environment{t: t, life: l, of: events.DeploymentOf{Namespace: lateID + "1", Application: lateID + "2", Name: "acme/shop", Environment: prodID, Called: "production"}}
	app := events.ApplicationCreated{Namespace: e.of.Namespace, Application: e.of.Application, Name: e.of.Name, Settings: events.ApplicationSettings{Digest: "sha256:x", Compose: "x", Keep: 5}}
	if _, err := command.Append(context.Background(), l.Log, byAlice, app, events.AnySeq); err != nil {
		t.Fatal(err)
	}
	e.add(events.EnvironmentCreated{Namespace: e.of.Namespace, Application: e.of.Application, Name: e.of.Name, Environment: prodID, Called: e.of.Called})
	e.ask(lateID+"4", 1, events.DeployPolicy{})
	e.add(events.DeploymentAdmitted{DeploymentOf: e.of})
	e.add(events.DeploymentPulled{DeploymentOf: e.of, Hosts: bothHosts})
	e.add(events.DeploymentHealthy{DeploymentOf: e.of, Colour: hosting.Blue, Hosts: bothHosts})
	e.add(events.DeploymentPromoted{DeploymentOf: e.of})
	return e
}

var (
	byAlice   = command.By{Source: "/test", Actor: "alice"}
	bothHosts = []string{lateID + "8", lateID + "9"}
)

func (e *environment) add(p events.Payload) {
	e.t.Helper()
	seq, err := command.Append(context.Background(), e.life.Log, byAlice, p, events.AnySeq)
	if err == nil {
		e.state, err = deployment.Next(e.state, deployment.Event{Payload: p, Seq: seq})
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

// ask asks for a deployment.
func (e *environment) ask(id string, release int, p events.DeployPolicy) {
	e.t.Helper()
	on := events.Placement{Web: []events.PlacedHost{{Machine: bothHosts[0], Name: "web1"}, {Machine: bothHosts[1], Name: "web2"}}}
	r, err := deployment.Request(e.state, id, deployment.Wish{Kind: events.DeployForward, Release: release, Placement: on, Policy: p})
	if err != nil {
		e.t.Fatal(err)
	}
	e.add(r)
	e.of.Deployment = id
}

// A deployment takes the same way, each step once, wherever the process dies: one that is promoted
// when its time has come, one that somebody goes back from while the release of before is drained,
// and one that does not start.
func TestDrivingKilledAtEveryStep(t *testing.T) {
	for _, c := range []struct {
		name, end string
		prepare   func(*environment)
	}{
		{"promoted", "it is ended (promoted), and green is live", func(e *environment) { e.ask(lateID+"5", 2, events.DeployPolicy{Automatic: 60}) }},
		{"back", "it is ended (rolled_back), and blue is live", func(e *environment) {
			e.ask(lateID+"5", 2, events.DeployPolicy{})
			e.add(events.DeploymentAdmitted{DeploymentOf: e.of})
			e.add(events.DeploymentPulled{DeploymentOf: e.of, Hosts: bothHosts})
			e.add(events.DeploymentHealthy{DeploymentOf: e.of, Colour: hosting.Green, Hosts: bothHosts})
			e.add(events.DeploymentShifted{DeploymentOf: e.of, Share: 50, Held: true})
			e.add(events.DeploymentPromoted{DeploymentOf: e.of})
			e.add(events.DeploymentRolledBack{DeploymentOf: e.of})
		}},
		{"broken", "it is ended (failed), and blue is live", func(e *environment) {
			e.ask(broken, 2, events.DeployPolicy{})
			e.add(events.DeploymentAdmitted{DeploymentOf: e.of})
			e.add(events.DeploymentPulled{DeploymentOf: e.of, Hosts: bothHosts})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			end := ""
			processtest.KillAtEveryStep(t, processtest.World{
				Prepare: func(t testing.TB, l *processtest.Life) { c.prepare(prepare(t, l)) },
				Manager: func(t testing.TB, l *processtest.Life) process.Manager { return lively(t, l).driving() },
				State: func(t testing.TB, l *processtest.Life) string {
					state, err := lively(t, l).state(context.Background(), prodID)
					if err != nil {
						t.Fatal(err)
					}
					end = fmt.Sprintf("it is %s (%s), and %s is live", state.Step, state.Outcome, state.Live())
					return end
				},
			})
			if end != c.end {
				t.Error(end)
			}
		})
	}
}

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
	prodID = "0191d1a0-0000-7000-8000-000000000003"
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
					o.Slots = append(o.Slots, hosting.Seen{ID: deployment.SlotID(prodID, p.Colour), Deployment: p.Deployment, Fence: p.Fence, Phase: p.Phase, Healthy: true, Drained: true})
				}
				w.Hosts[h.Machine] = o
			}
		}
		return w
	}
	return s
}

// A deployment takes the same way, each step once, wherever the process dies: the first one, and
// one that replaces it, promoted when its time has come.
func TestDrivingKilledAtEveryStep(t *testing.T) {
	const acme, shop = "0191d1a0-0000-7000-8000-000000000001", "0191d1a0-0000-7000-8000-000000000002"
	hosts := events.Placement{Web: []events.PlacedHost{{Machine: lateID + "8", Name: "web1"}, {Machine: lateID + "9", Name: "web2"}}}
	by, end := command.By{Source: "/test", Actor: "alice"}, ""
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: func(t testing.TB, l *processtest.Life) {
			ctx := context.Background()
			of := events.DeploymentOf{Namespace: acme, Application: shop, Name: "acme/shop", Environment: prodID, Called: "production"}
			var state deployment.State
			add := func(p events.Payload) {
				seq, err := command.Append(ctx, l.Log, by, p, events.AnySeq)
				if err != nil {
					t.Fatal(err)
				}
				if state, err = deployment.Next(state, deployment.Event{Payload: p, Seq: seq}); err != nil {
					t.Fatal(err)
				}
			}
			app := events.ApplicationCreated{Namespace: acme, Application: shop, Name: "acme/shop", Settings: events.ApplicationSettings{Digest: "sha256:x", Compose: "x", Keep: 5}}
			if _, err := command.Append(ctx, l.Log, by, app, events.AnySeq); err != nil {
				t.Fatal(err)
			}
			add(events.EnvironmentCreated{Namespace: acme, Application: shop, Name: "acme/shop", Environment: prodID, Called: "production"})
			ask := func(id string, release int, p events.DeployPolicy) {
				r, err := deployment.Request(state, id, deployment.Wish{Kind: events.DeployForward, Release: release, Placement: hosts, Policy: p})
				if err != nil {
					t.Fatal(err)
				}
				add(r)
			}
			ask(lateID+"4", 1, events.DeployPolicy{})
			of.Deployment = lateID + "4"
			machines := []string{lateID + "8", lateID + "9"}
			for _, p := range []events.Payload{events.DeploymentAdmitted{DeploymentOf: of}, events.DeploymentPulled{DeploymentOf: of, Hosts: machines}, events.DeploymentHealthy{DeploymentOf: of, Colour: hosting.Blue, Hosts: machines},
				events.DeploymentPromoted{DeploymentOf: of}} {
				add(p)
			}
			ask(lateID+"5", 2, events.DeployPolicy{Automatic: 60})
		},
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
	if end != "it is ended (promoted), and green is live" {
		t.Error(end)
	}
}

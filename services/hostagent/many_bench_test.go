package hostagent_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/hostagent"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/command"
	"hubledger/services/internal/hosting"
	"hubledger/services/server/servertest"
)

// numbered is an id of the benchmark.
func numbered(n int) string { return fmt.Sprintf("0199d6a5-3c00-7000-8000-%012d", n) }

// BenchmarkManyHosts is how long it takes until all of 200 hosts, which are connected as real ones are,
// have a state that has just been changed: from the append of the event on.
func BenchmarkManyHosts(b *testing.B) {
	const hosts = 200
	w := newWorld(b)
	w.hosts = hostagent.New(hostagent.Config{Log: w.hub.Log(), People: w.hub.Accounts(), Planner: w.hub.Planner(), Token: w.hub.Auth().HostToken, Logger: w.Logger})
	l, trust := w.listen()
	f := &followers{last: map[string]hosting.State{}}
	var on []events.PlacedHost
	for k := range hosts {
		m, conn := w.connect(l, trust, events.MachineHost, fmt.Sprint("web", k), "")
		on = append(on, events.PlacedHost{Machine: m.ID, Name: m.Name})
		f.follow(b, m.ID, wire.Client{Conn: conn.Conn})
	}
	b.Cleanup(f.work.Wait)

	const compose = `services: {web: {image: "elsewhere.test/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", x-hubledger: {role: web, port: 8080, blue: 18080, green: 18081}}}`
	sum := digest.FromString(compose).String()
	of := events.DeploymentOf{Namespace: numbered(1), Application: numbered(2), Name: "admin/shop", Environment: numbered(3), Called: "production", Deployment: numbered(4)}
	add := func(p events.Payload) uint64 {
		b.Helper()
		seq, err := command.Append(b.Context(), w.hub.Log(), servertest.By, p, events.AnySeq)
		check(b, err)
		return seq
	}
	add(events.ApplicationCreated{Namespace: of.Namespace, Application: of.Application, Name: of.Name, Settings: events.ApplicationSettings{Digest: sum, Compose: compose, Keep: 5}})
	add(events.EnvironmentCreated{Namespace: of.Namespace, Application: of.Application, Name: of.Name, Environment: of.Environment, Called: of.Called})
	made := events.ReleaseMade{Namespace: of.Namespace, Application: of.Application, Name: of.Name, Number: 1, Digest: sum, Images: []events.ReleaseImage{{Service: "web", Image: "elsewhere.test/web", Name: "elsewhere.test/web", Digest: strings.Split(compose, "@")[1][:71]}}}
	add(made)
	made.Number = 2
	add(made)
	placed, policy := events.Placement{Web: on}, events.DeployPolicy{Steps: []int{1, 99}, Pause: 24 * 3600}
	first := add(events.DeploymentRequested{DeploymentOf: of, Kind: events.DeployForward, Release: 1, Colour: hosting.Blue, Placement: placed})
	promoted := f.await(b, hosts, func(s hosting.State) bool { return len(s.Slots) == 1 && s.Slots[0].Share == 100 }, first)
	of.Deployment = numbered(5)
	second := add(events.DeploymentRequested{DeploymentOf: of, Kind: events.DeployForward, Release: 2, Colour: hosting.Green, Placement: placed, Policy: policy,
		Before: []events.DeploymentSide{{Colour: hosting.Blue, Phase: string(hosting.Run), Release: 1, Deployment: numbered(4), Placement: placed, Fence: promoted}}})
	f.await(b, hosts, func(s hosting.State) bool { return len(s.Slots) == 2 && s.Slots[1].Share == 1 }, second)

	share := 1
	for b.Loop() {
		if share++; share > 98 {
			b.Fatal("it counts up to 97 changes: ask for fewer")
		}
		seq := add(events.DeploymentShifted{DeploymentOf: of, Share: share})
		f.await(b, hosts, func(s hosting.State) bool { return s.Slots[1].Share == share }, seq)
	}
}

// followers are hosts that do at once what they are told.
type followers struct {
	work sync.WaitGroup
	mu   sync.Mutex
	last map[string]hosting.State
}

func (f *followers) follow(b *testing.B, id string, hub wire.Client) {
	f.work.Go(func() {
		generation, epoch := "", uint64(0)
		for ctx := b.Context(); ctx.Err() == nil; {
			s, err := hub.Sync(ctx, generation, epoch)
			if err != nil {
				time.Sleep(100 * time.Millisecond)
				continue
			}
			if s == nil {
				continue
			}
			generation, epoch = s.Generation, s.Epoch
			o := hosting.Observation{Generation: s.Generation, Epoch: s.Epoch}
			for _, slot := range s.Slots {
				o.Slots = append(o.Slots, hosting.Seen{ID: slot.ID, Deployment: slot.Deployment, Fence: slot.Fence, Phase: slot.Phase, Healthy: slot.Phase == hosting.Run})
			}
			f.mu.Lock()
			f.last[id] = *s
			f.mu.Unlock()
			hub.Observed(ctx, o)
		}
	})
}

// await returns when so many hosts have a state of that epoch or a later one for which something is
// so, and which epoch one of them has.
func (f *followers) await(b *testing.B, hosts int, so func(hosting.State) bool, epoch uint64) (latest uint64) {
	b.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		n := 0
		f.mu.Lock()
		for _, s := range f.last {
			if s.Epoch >= epoch && so(s) {
				n++
				latest = s.Epoch
			}
		}
		f.mu.Unlock()
		if n == hosts {
			return latest
		}
		if time.Now().After(end) {
			b.Fatalf("%d of %d hosts have it", n, hosts)
		}
	}
}

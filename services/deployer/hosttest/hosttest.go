// Package hosttest has a host for tests that does what an agent would, without an engine.
package hosttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/command"
	"hubledger/services/internal/hosting"
	"hubledger/services/server/servertest"
)

// A Host does what an agent would: it takes whole states, acts upon them at once, and
// says what it sees. It holds the hub to what was agreed upon.
type Host struct {
	t       testing.TB
	hub     *servertest.Server
	planner hosting.Planner
	every   time.Duration // it says how it is
	ID      string        // of the machine

	mu    sync.Mutex
	epoch uint64
	fence map[string]uint64
	slots map[string]hosting.Slot
	wrong func(*hosting.Seen) // spoils what it sees
	away  bool
	sight func(hosting.Look) hosting.Sight
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// Enroll makes a machine a host of a hub, for these namespaces, by their ids, or for all, and returns
// its id.
func Enroll(hub *servertest.Server, name string, namespaces ...string) string {
	hub.T.Helper()
	id, err := command.NewID()
	if err != nil {
		hub.T.Fatal(err)
	}
	for _, p := range []events.Payload{events.MachineInvited{Machine: id, Name: name, Kind: events.MachineHost, Hash: []byte(name), Namespaces: namespaces, Expires: time.Now().Add(time.Hour)},
		events.MachineEnrolled{Machine: id, Name: name, Kind: events.MachineHost, Key: "U" + name}} {
		hub.Done(command.Append(hub.T.Context(), hub.Log(), servertest.By, p, events.AnySeq))
	}
	return id
}

// Run enrolls a host, and runs it until the test ends.
func Run(hub *servertest.Server, name string, namespaces ...string) *Host {
	return run(hub, 200*time.Millisecond, name, namespaces...)
}

// RunMany runs hosts that say how they are less often: when something changes for them, and after 10 seconds.
func RunMany(hub *servertest.Server, names ...string) (hosts []*Host) {
	for _, name := range names {
		hosts = append(hosts, run(hub, 10*time.Second, name))
	}
	return hosts
}

func run(hub *servertest.Server, every time.Duration, name string, namespaces ...string) *Host {
	h := &Host{t: hub.T, hub: hub, planner: hub.Planner(), ID: Enroll(hub, name, namespaces...), every: every, fence: map[string]uint64{}, slots: map[string]hosting.Slot{}}
	h.start()
	hub.T.Cleanup(h.end)
	return h
}

func (h *Host) start() {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.done.Go(func() {
		for ctx.Err() == nil {
			changed := h.planner.Changed(h.ID)
			h.step(ctx)
			select {
			case <-ctx.Done():
			case <-changed:
			case <-time.After(h.every):
			}
		}
	})
}

// Looks sets what the host says of its containers from now on, and has it answer the hub's questions
// until the test ends.
func (h *Host) Looks(sight func(hosting.Look) hosting.Sight) {
	h.mu.Lock()
	first := h.sight == nil
	h.sight = sight
	h.mu.Unlock()
	if !first {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		client := wire.Client{Conn: conn{h}}
		for ctx.Err() == nil {
			q, err := client.Look(ctx)
			if err != nil || q == nil {
				continue
			}
			h.mu.Lock()
			sight := h.sight
			h.mu.Unlock()
			if err := client.Told(ctx, q.ID, sight(*q)); err != nil && ctx.Err() == nil {
				h.t.Error(err)
			}
		}
	})
	h.t.Cleanup(func() { stop(); work.Wait() })
}

// A conn is the connection of a host, in this process.
type conn struct{ *Host }

// Request is of exchange.Conn.
func (c conn) Request(ctx context.Context, operation string, data []byte) ([]byte, error) {
	m, err := c.hub.Accounts().Machine(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	return c.hub.HostAgent().Answer(ctx, m, operation, data), nil
}

func (h *Host) end() { h.stop(); h.done.Wait() }

func (h *Host) step(ctx context.Context) {
	s, err := h.planner.Desired(ctx, h.ID)
	if err != nil {
		if ctx.Err() == nil {
			h.t.Error(err)
		}
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away {
		return
	}
	if s.Epoch < h.epoch {
		h.t.Errorf("the epoch falls from %d to %d", h.epoch, s.Epoch)
	}
	h.epoch = s.Epoch
	shares := map[string]int{} // by environment
	o := hosting.Observation{Generation: s.Generation, Epoch: s.Epoch}
	for _, slot := range s.Slots {
		if slot.Fence < h.fence[slot.ID] {
			h.t.Errorf("the fence of %s falls from %d to %d", slot.ID, h.fence[slot.ID], slot.Fence)
		}
		if slot.Share > 0 && slot.Phase != hosting.Run {
			h.t.Errorf("%s is in %s, and has traffic", slot.ID, slot.Phase)
		}
		shares[slot.Application+" "+slot.Environment] += slot.Share
		h.fence[slot.ID], h.slots[slot.ID] = slot.Fence, slot
		seen := hosting.Seen{ID: slot.ID, Deployment: slot.Deployment, Fence: slot.Fence, Phase: slot.Phase, Healthy: slot.Phase == hosting.Run, Drained: slot.Phase == hosting.Drain || slot.Phase == hosting.Keep}
		for _, of := range slot.Services {
			seen.Images = append(seen.Images, hosting.SeenImage{Service: of.Name, Pulled: true, Bytes: 10, Total: 10})
			for k := range of.Run {
				seen.Containers = append(seen.Containers, hosting.SeenContainer{ID: h.Container(slot, of.Name, k), Service: of.Name, Index: k, State: "running"})
			}
		}
		if h.wrong != nil {
			h.wrong(&seen)
		}
		o.Slots = append(o.Slots, seen)
	}
	for _, gone := range s.Gone {
		if gone.Fence < h.fence[gone.ID] {
			h.t.Errorf("the fence of %s, which is gone, falls", gone.ID)
		}
		h.fence[gone.ID] = gone.Fence
		delete(h.slots, gone.ID)
	}
	for environment, share := range shares {
		if share != 0 && share != 100 {
			h.t.Errorf("%d %% of the traffic of %s are given away: %+v", share, environment, s.Slots)
		}
	}
	if err := h.planner.Observed(ctx, h.ID, o); err != nil {
		h.t.Error(err)
	}
}

// Spoil changes what the host sees from now on.
func (h *Host) Spoil(wrong func(*hosting.Seen)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong = wrong
}

// Leave has the hub hear nothing of it, or hear it again.
func (h *Host) Leave(away bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away = away
}

// Slot is that of a colour as the host has it; nil: it has none.
func (h *Host) Slot(colour string) *hosting.Slot {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.slots {
		if s.Colour == colour {
			return &s
		}
	}
	return nil
}

// In is the slot of a colour in an environment; nil: it has none.
func (h *Host) In(environment, colour string) *hosting.Slot {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.slots {
		if s.Environment == environment && s.Colour == colour {
			return &s
		}
	}
	return nil
}

// Container is the id of a container of the host.
func (h *Host) Container(s hosting.Slot, service string, index int) string {
	sum := sha256.Sum256(fmt.Append(nil, h.ID, s.ID, service, index))
	return hex.EncodeToString(sum[:6])
}

// Service is one of a slot.
func Service(s *hosting.Slot, name string) *hosting.SlotService {
	if s == nil {
		return nil
	}
	k := slices.IndexFunc(s.Services, func(of hosting.SlotService) bool { return of.Name == name })
	if k < 0 {
		return nil
	}
	return &s.Services[k]
}

package deployer_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/hosting"
	"hubledger/services/server/servertest"
)

// A fakeHost does what an agent would: it takes whole states, acts upon them at once, and
// says what it sees. It holds the hub to what was agreed upon.
type fakeHost struct {
	t       testing.TB
	planner hosting.Planner
	id      string

	mu    sync.Mutex
	epoch uint64
	fence map[string]uint64
	slots map[string]hosting.Slot
	wrong func(*hosting.Seen) // spoils what it sees
	away  bool
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// enroll makes a machine a host.
func (w *world) enroll(name string) string {
	w.T.Helper()
	id, err := command.NewID()
	if err != nil {
		w.T.Fatal(err)
	}
	for _, p := range []events.Payload{events.MachineInvited{Machine: id, Name: name, Kind: "host", Hash: []byte(name), Expires: time.Now().Add(time.Hour)}, events.MachineEnrolled{Machine: id, Name: name, Kind: "host", Key: "U" + name}} {
		w.Done(command.Append(w.T.Context(), w.Log(), servertest.By, p, events.AnySeq))
	}
	return id
}

// host runs a host until the test ends.
func (w *world) host(name string) *fakeHost {
	h := &fakeHost{t: w.T, planner: w.Planner(), id: w.enroll(name), fence: map[string]uint64{}, slots: map[string]hosting.Slot{}}
	h.start()
	w.T.Cleanup(h.end)
	return h
}

func (h *fakeHost) start() {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.done.Go(func() {
		for ctx.Err() == nil {
			changed := h.planner.Changed(h.id)
			h.step(ctx)
			select {
			case <-ctx.Done():
			case <-changed:
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
}

func (h *fakeHost) end() { h.stop(); h.done.Wait() }

func (h *fakeHost) step(ctx context.Context) {
	s, err := h.planner.Desired(ctx, h.id)
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
	shares := 0
	o := hosting.Observation{Generation: s.Generation, Epoch: s.Epoch}
	for _, slot := range s.Slots {
		if slot.Fence < h.fence[slot.ID] {
			h.t.Errorf("the fence of %s falls from %d to %d", slot.ID, h.fence[slot.ID], slot.Fence)
		}
		if slot.Share > 0 && slot.Phase != hosting.Run {
			h.t.Errorf("%s is in %s, and has traffic", slot.ID, slot.Phase)
		}
		shares += slot.Share
		h.fence[slot.ID], h.slots[slot.ID] = slot.Fence, slot
		seen := hosting.Seen{ID: slot.ID, Deployment: slot.Deployment, Fence: slot.Fence, Phase: slot.Phase, Healthy: slot.Phase == hosting.Run, Drained: slot.Phase == hosting.Drain || slot.Phase == hosting.Keep}
		for _, of := range slot.Services {
			seen.Images = append(seen.Images, hosting.SeenImage{Service: of.Name, Pulled: true, Bytes: 10, Total: 10})
			for k := range of.Run {
				seen.Containers = append(seen.Containers, hosting.SeenContainer{ID: fmt.Sprint(slot.ID, of.Name, k), Service: of.Name, Index: k, State: "running"})
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
	if shares != 0 && shares != 100 {
		h.t.Errorf("%d %% of the traffic are given away: %+v", shares, s.Slots)
	}
	if err := h.planner.Observed(ctx, h.id, o); err != nil {
		h.t.Error(err)
	}
}

// spoil changes what the host sees from now on.
func (h *fakeHost) spoil(wrong func(*hosting.Seen)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong = wrong
}

func (h *fakeHost) leave(away bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away = away
}

// slot is that of a colour as the host has it; nil: it has none.
func (h *fakeHost) slot(colour string) *hosting.Slot {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.slots {
		if s.Colour == colour {
			return &s
		}
	}
	return nil
}

// service is one of a slot.
func service(s *hosting.Slot, name string) *hosting.SlotService {
	if s == nil {
		return nil
	}
	k := slices.IndexFunc(s.Services, func(of hosting.SlotService) bool { return of.Name == name })
	if k < 0 {
		return nil
	}
	return &s.Services[k]
}

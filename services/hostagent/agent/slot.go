package agent

import (
	"context"
	"reflect"
	"sync"
	"time"

	"hubledger/services/internal/hosting"
	"hubledger/services/internal/redact"
)

// A slot is made to be as the hub wants it, by one goroutine.
type slot struct {
	*Agent
	id string

	mu      sync.Mutex
	target  *hosting.Slot      // what it is to be; nil with gone
	gone    bool               // it is to be removed
	ended   bool               // it is not this host's any more
	stop    context.CancelFunc // ends the step that is done now; nil between steps
	changed chan struct{}      // has an element when it is to be something else
	seen    hosting.Seen
	stops   map[string]bool // containers that are being stopped, by id

	// Of the goroutine alone:
	streaks  map[string]*streak // of containers of web services, by name
	policies map[string]bool    // whether the engine starts a container again, by id, as far as is known
	trials   map[string]*trial  // of containers that were started for what it is to be now, by name
	drained  time.Time          // since when it drains
	failed   int                // steps in a row
}

// apply has every slot made to be as the state says. A slot that the state does not name
// is left alone: only what is named as gone is removed.
func (a *Agent) apply() {
	state := a.store.state()
	a.mu.Lock()
	defer a.mu.Unlock()
	named := map[string]bool{}
	for k := range state.Slots {
		named[state.Slots[k].ID] = true
		a.slotOf(state.Slots[k].ID).set(&state.Slots[k])
	}
	for _, g := range state.Gone {
		if !named[g.ID] {
			named[g.ID] = true
			a.slotOf(g.ID).set(nil)
		}
	}
	for id, s := range a.slots {
		if !named[id] {
			s.leave()
			delete(a.slots, id)
		}
	}
}

// slotOf is the slot of an id, with its goroutine. Call it with mu held.
func (a *Agent) slotOf(id string) *slot {
	s := a.slots[id]
	if s == nil {
		s = &slot{Agent: a, id: id, changed: make(chan struct{}, 1), streaks: map[string]*streak{}, seen: hosting.Seen{ID: id, Sessions: -1, Requests: -1}}
		a.slots[id] = s
		a.work.Go(func() { s.run(a.ctx) })
	}
	return s
}

// set says what a slot is to be; nil: gone. What it does now is given up if it is for
// something else.
func (s *slot) set(target *hosting.Slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil && !sameWork(s.target, target) {
		s.stop()
	}
	s.target, s.gone = target, target == nil
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// sameWork says whether two targets ask for the same containers in the same phase.
func sameWork(x, y *hosting.Slot) bool {
	if x == nil || y == nil {
		return x == y
	}
	a, b := *x, *y
	a.Share, a.Live, a.Scale, a.Fence = 0, 0, 0, 0
	b.Share, b.Live, b.Scale, b.Fence = 0, 0, 0, 0
	return reflect.DeepEqual(a, b)
}

// leave ends the work on a slot. Its containers go on.
func (s *slot) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.stop != nil {
		s.stop()
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// begin is what is to be done now, in a context that ends when it is something else.
func (s *slot) begin(ctx context.Context) (_ context.Context, target *hosting.Slot, gone, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.changed:
	default:
	}
	ctx, s.stop = context.WithCancel(ctx)
	return ctx, s.target, s.gone, s.ended
}

func (s *slot) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	s.stop = nil
}

// run does one step after the other as long as ctx lasts.
func (s *slot) run(ctx context.Context) {
	for ctx.Err() == nil {
		step, target, gone, ended := s.begin(ctx)
		if ended {
			s.finish()
			return
		}
		if target == nil && !gone { // what it is to be is not said yet
			s.finish()
			select {
			case <-ctx.Done():
			case <-s.changed:
			}
			continue
		}
		var next time.Duration
		if gone {
			next = s.removing(step)
		} else {
			next = s.step(step, target)
		}
		s.finish()
		select {
		case <-ctx.Done():
		case <-s.changed:
		case <-time.After(next):
		}
	}
}

// look is what is seen of it; false when there is nothing.
func (s *slot) look() (hosting.Seen, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen, s.seen.ID != ""
}

// saw keeps what is seen, and has it reported if it has changed.
func (s *slot) saw(seen hosting.Seen) {
	s.mu.Lock()
	was := s.seen
	s.seen = seen
	was.Requests, seen.Requests = 0, 0 // no news: the next report has them
	same := reflect.DeepEqual(was, seen)
	s.mu.Unlock()
	if !same {
		s.tell()
	}
}

// maskOf masks the secrets of a slot in what is reported of it.
func maskOf(t *hosting.Slot) *redact.Set { return redact.New(secrets(t)...) }

package hostagent

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
)

// How often a host may ask.
const (
	perSecond = 10
	burst     = 50
)

// A host waits for two things, each with one request.
const (
	forState = iota
	forLooks
	places
)

// heard is what was heard of hosts since the hub has started. A restart loses nothing by
// it: hosts report every few seconds.
type heard struct {
	mu  sync.Mutex
	all map[string]*ear
}

// said is what is kept of the last report of a host.
type said struct {
	engine hosting.Engine
	slots  int
}

// An ear listens to one host.
type ear struct {
	limit *rate.Limiter
	last  said
	at    time.Time
	waits [places]context.CancelFunc // end the requests that wait, by what for
}

func newHeard() *heard { return &heard{all: map[string]*ear{}} }

// of is the ear of a host. Call it with mu held.
func (h *heard) of(id string) *ear {
	e := h.all[id]
	if e == nil {
		e = &ear{limit: rate.NewLimiter(perSecond, burst)}
		h.all[id] = e
	}
	return e
}

// asks counts a request. ErrBusy.
func (h *heard) asks(id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.of(id).limit.Allow() {
		return wire.ErrBusy
	}
	return nil
}

// waits is asks for a request that waits for one of the places: it ends the one before.
func (h *heard) waits(ctx context.Context, id string, place int) (_ context.Context, done func(), err error) {
	if err := h.asks(id); err != nil {
		return nil, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.of(id)
	if e.waits[place] != nil {
		e.waits[place]()
	}
	ctx, cancel := context.WithCancel(ctx)
	e.waits[place] = cancel
	return ctx, cancel, nil
}

// saw keeps what a host says of itself.
func (h *heard) saw(id string, o hosting.Observation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.of(id)
	e.last, e.at = said{o.Engine, len(o.Slots)}, time.Now()
}

// last is what a host has said last, and when; zero when nothing was heard.
func (h *heard) last(id string) (said, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.all[id]; e != nil {
		return e.last, e.at
	}
	return said{}, time.Time{}
}

// forget is for a host that was revoked.
func (h *heard) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.all[id]; e != nil {
		for _, end := range e.waits {
			if end != nil {
				end()
			}
		}
	}
	delete(h.all, id)
}

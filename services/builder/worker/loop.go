package worker

import (
	"context"
	"errors"
	"sync"
	"time"
)

// An Offer says what a builder can do.
type Offer struct {
	Platforms []string `json:"platforms"`       // such as linux/amd64
	Places    int      `json:"places"`          // builds at once; 0: it stops
	Hooks     bool     `json:"hooks,omitempty"` // it runs hooks and autotests
}

// A Queue gives builds to a builder.
type Queue interface {
	// Next waits until there is a build for the builder, and gives it that; nil when
	// there was none for a while.
	Next(ctx context.Context) (*Assignment, error)
	// Renew tells that the builder lives, what it can do, and which builds it has. gone
	// are those of them that it does not have any more.
	Renew(ctx context.Context, o Offer, have []Claim) (gone []Claim, err error)
}

const (
	renewEvery  = 300 * time.Millisecond
	renewWithin = 10 * time.Second
	nextPause   = time.Second // after a failure
)

// Unheard is how long a builder goes on without the hub. It is shorter than the time
// after which the hub gives its builds to others.
const Unheard = 45 * time.Second

// errUnheard is why builds are stopped when nothing is heard of the hub.
var errUnheard = errors.New("nothing is heard of the hub")

// Run takes builds from a queue and runs them until ctx ends; then it gives back what
// it has, and returns.
func (w *Worker) Run(ctx context.Context, q Queue, o Offer) {
	h := &held{builds: map[Claim]context.CancelCauseFunc{}}
	var work sync.WaitGroup
	defer work.Wait()
	if !w.renew(ctx, q, o, h) { // so that the hub knows who asks
		return
	}
	work.Go(func() { w.renewals(ctx, q, o, h) })
	places := make(chan struct{}, o.Places)
	for {
		select {
		case <-ctx.Done():
			return
		case places <- struct{}{}:
		}
		a := w.next(ctx, q)
		if a == nil {
			return
		}
		running, cancel := context.WithCancelCause(ctx)
		h.add(a.Claim, cancel)
		work.Go(func() {
			w.Build(running, a)
			h.remove(a.Claim)
			cancel(nil)
			<-places
		})
	}
}

// next is the next build; nil when ctx has ended.
func (w *Worker) next(ctx context.Context, q Queue) *Assignment {
	for told := false; ; {
		a, err := q.Next(ctx)
		if a != nil || ctx.Err() != nil {
			return a
		}
		if err == nil {
			continue
		}
		if !told {
			told = true
			w.Logger.Warn("the hub cannot be asked for builds; it is tried again", "error", err)
		}
		pause(ctx, nextPause)
	}
}

// renew tells the hub once of the builder, as soon as it can be told; false when ctx
// has ended before.
func (w *Worker) renew(ctx context.Context, q Queue, o Offer, h *held) bool {
	for told := false; ctx.Err() == nil; pause(ctx, nextPause) {
		err := h.renew(ctx, q, o)
		if err == nil {
			return true
		}
		if !told {
			told = true
			w.Logger.Warn("the hub does not take this builder yet; it is tried again", "error", err)
		}
	}
	return false
}

// renewals tell the hub of the builder again and again, and in the end that it takes no
// more builds. When that fails for too long, the builds are stopped: the hub is about
// to give them to another builder.
func (w *Worker) renewals(ctx context.Context, q Queue, o Offer, h *held) {
	defer func() {
		if err := h.renew(context.WithoutCancel(ctx), q, Offer{Platforms: o.Platforms, Hooks: o.Hooks}); err != nil {
			w.Logger.Debug("the hub was not told that this builder stops", "error", err)
		}
	}()
	heard := time.Now()
	for {
		pause(ctx, renewEvery)
		if ctx.Err() != nil {
			return
		}
		asked := time.Now()
		err := h.renew(ctx, q, o)
		switch {
		case err == nil:
			if silent := time.Since(heard); silent > renewWithin {
				w.Logger.Info("the hub is heard again", "after", silent)
			}
			heard = asked // not when it answered: its lease counts from before
		case errors.Is(err, ErrRevoked) && h.stop(nil, ErrEnded) > 0:
			w.Logger.Warn("builds are stopped", "error", err)
		case ctx.Err() == nil && time.Since(heard) > Unheard && h.stop(nil, errUnheard) > 0:
			w.Logger.Warn("builds are stopped: nothing was heard of the hub for too long", "error", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// held are the builds that a worker has.
type held struct {
	mu     sync.Mutex
	builds map[Claim]context.CancelCauseFunc
}

func (h *held) add(c Claim, cancel context.CancelCauseFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.builds[c] = cancel
}

func (h *held) remove(c Claim) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.builds, c)
}

// renew tells the hub once, and stops what has ended for it.
func (h *held) renew(ctx context.Context, q Queue, o Offer) error {
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	h.mu.Lock()
	have := make([]Claim, 0, len(h.builds))
	for c := range h.builds {
		have = append(have, c)
	}
	h.mu.Unlock()
	gone, err := q.Renew(ctx, o, have)
	if err == nil && len(gone) > 0 {
		h.stop(gone, ErrEnded)
	}
	return err
}

// stop stops some builds, nil for all, and counts those that were not stopped before.
func (h *held) stop(list []Claim, why error) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if list == nil {
		for c := range h.builds {
			list = append(list, c)
		}
	}
	for _, c := range list {
		if cancel := h.builds[c]; cancel != nil {
			cancel(why)
			h.builds[c] = nil // it winds down
			n++
		}
	}
	return n
}

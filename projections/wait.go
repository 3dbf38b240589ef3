package projections

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
)

// Position is the last sequence known to be committed, 0 before Run has begun.
func (r *Runner) Position() uint64 { return r.waiters.position.Load() }

// Wait returns nil when the projection has committed the event of that
// sequence. The error wraps ErrParked when it was parked instead, or is that
// of ctx.
func (r *Runner) Wait(ctx context.Context, seq uint64) error {
	if err := r.waiters.wait(ctx, seq); err != nil {
		return fmt.Errorf("wait for projection %s to reach event %d: %w", r.m.Name, seq, err)
	}
	if !r.HasParked() {
		return nil
	}
	var reason string
	rows, err := r.cfg.Store.DB().QueryContext(ctx, "SELECT reason FROM _parked WHERE seq = $1", int64(seq))
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return rows.Err()
	}
	if err := rows.Scan(&reason); err != nil {
		return err
	}
	return fmt.Errorf("projection %s: event %d: %w: %s", r.m.Name, seq, ErrParked, reason)
}

// Parked lists the events that the projection skipped, by sequence.
func (r *Runner) Parked(ctx context.Context) ([]Parked, error) { return r.cfg.Store.Parked(ctx) }

// HasParked says whether anything is parked. It costs nothing.
func (r *Runner) HasParked() bool { return r.known.Load() != nil }

// IsParked says whether the aggregate of that subject is parked.
func (r *Runner) IsParked(subject string) bool {
	known := r.known.Load()
	if known == nil {
		return false
	}
	_, ok := (*known)[subject]
	return ok
}

func (r *Runner) publishParking() {
	if len(r.applier.parking) == 0 {
		r.known.Store(nil)
		return
	}
	known := maps.Clone(r.applier.parking)
	r.known.Store(&known)
}

// waiters are the goroutines that wait for a position.
type waiters struct {
	position atomic.Uint64
	mu       sync.Mutex
	list     []waiter
}

type waiter struct {
	seq     uint64
	reached chan struct{}
}

func (w *waiters) wait(ctx context.Context, seq uint64) error {
	if w.position.Load() >= seq {
		return nil
	}
	reached := make(chan struct{})
	w.mu.Lock()
	if w.position.Load() >= seq {
		w.mu.Unlock()
		return nil
	}
	w.list = append(w.list, waiter{seq, reached})
	w.mu.Unlock()
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		w.forget(reached)
		return ctx.Err()
	}
}

// reach wakes all that wait for position or less.
func (w *waiters) reach(position uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.position.Store(position)
	kept := w.list[:0]
	for _, x := range w.list {
		if x.seq <= position {
			close(x.reached)
		} else {
			kept = append(kept, x)
		}
	}
	clear(w.list[len(kept):])
	w.list = kept
}

func (w *waiters) forget(reached chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.list {
		if w.list[i].reached == reached {
			w.list[i] = w.list[len(w.list)-1]
			w.list[len(w.list)-1] = waiter{}
			w.list = w.list[:len(w.list)-1]
			return
		}
	}
}

package process

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// A pass is what one look at the due tasks found.
type pass struct {
	pending map[string]struct{} // keys of tasks that are to be done now, or are being done
	next    time.Time           // when the next one is to be tried
	waits   bool                // for a next attempt
}

// pass looks at what is due and begins as much of it as may run at once.
func (r *Runner) pass(ctx context.Context) (pass, error) {
	r.passing.Lock()
	defer r.passing.Unlock()
	// Before rows and tasks are read: those of a task that ends meanwhile may
	// be read as they were, and such a task is not begun again here.
	busy := r.busy()
	rows, err := r.rows(ctx)
	if err != nil {
		return pass{}, fmt.Errorf("read the attempts: %w", err)
	}
	now := time.Now()
	due, err := r.m.Due(ctx, now)
	if err != nil {
		return pass{}, fmt.Errorf("look for what is due: %w", err)
	}
	all := len(due) <= MaxDue
	due = due[:min(len(due), MaxDue)]
	p := pass{pending: maps.Clone(busy), next: now.Add(r.m.Every)}
	counts := Status{Due: len(due)}
	listed := map[string]bool{}
	for _, t := range due {
		if t.Key == "" || len(t.Key) > MaxKey {
			r.failed(fmt.Errorf("a task's key has %d bytes", len(t.Key)))
			continue
		}
		listed[t.Key] = true
		if _, runs := busy[t.Key]; runs {
			continue
		}
		kept, ok := rows[t.Key]
		if !ok {
			kept = newRow(t)
		}
		switch {
		case !kept.dead.IsZero():
			counts.Due--
		case kept.next.After(now):
			counts.Waiting++
			p.sooner(kept.next)
		default:
			r.begin(ctx, &p, kept)
		}
	}
	if err := r.tidy(ctx, &p, busy, rows, listed, all); err != nil {
		return pass{}, err
	}
	r.note(func(s *Status) { s.Due, s.Waiting = counts.Due, counts.Waiting })
	return p, nil
}

func (p *pass) sooner(at time.Time) {
	p.waits = true
	if at.Before(p.next) {
		p.next = at
	}
}

// begin lets a task run when there is room; it is pending otherwise.
func (r *Runner) begin(ctx context.Context, p *pass, t row) {
	if _, ok := p.pending[t.Key]; ok {
		return // it runs, or is listed twice
	}
	p.pending[t.Key] = struct{}{}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.running) >= r.m.Parallel || ctx.Err() != nil {
		return // the task that ends wakes the manager
	}
	r.running[t.Key] = struct{}{}
	r.jobs.Go(func() {
		defer r.end(t.Key)
		r.attempt(ctx, t)
	})
}

// tidy ends what is left of tasks that are no longer due: whose event is in
// the log, but not all that follows, and what was tried in vain.
func (r *Runner) tidy(ctx context.Context, p *pass, busy map[string]struct{}, rows map[string]row, listed map[string]bool, all bool) error {
	now := time.Now()
	var errs []error
	for key, t := range rows {
		if _, runs := busy[key]; runs || listed[key] {
			continue
		}
		switch {
		case t.done == 0:
			if all {
				errs = append(errs, r.forget(ctx, key))
			}
		case !t.dead.IsZero():
		case t.next.After(now):
			p.sooner(t.next)
		default:
			r.begin(ctx, p, t)
		}
	}
	return errors.Join(errs...)
}

// busy are the keys of the tasks that run.
func (r *Runner) busy() map[string]struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.running)
}

// end makes room for another task.
func (r *Runner) end(key string) {
	r.mu.Lock()
	delete(r.running, key)
	close(r.ended)
	r.ended = make(chan struct{})
	r.mu.Unlock()
	r.wakeUp()
}

// nextEnd is closed when the next task ends.
func (r *Runner) nextEnd() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

func (r *Runner) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

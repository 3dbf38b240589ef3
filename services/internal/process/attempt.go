package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"hubledger/events"
)

// attempt does one task, or what is left of it. Its steps are: the attempt is
// counted, the effect, the completing event (see complete), the note that it is
// in the log, Done, and the row's end. A crash between any two of them is
// followed by another attempt.
func (r *Runner) attempt(ctx context.Context, t row) {
	if err := r.try(ctx, &t); err != nil {
		r.fail(ctx, t, err)
	}
}

func (r *Runner) try(ctx context.Context, t *row) error {
	// Counted before it begins: a task that kills its process is not tried for ever.
	t.attempts++
	t.next = time.Now().Add(r.m.Backoff.pause(t.attempts, rand.Float64()))
	if err := r.keep(ctx, *t); err != nil {
		return &outerError{err}
	}
	if t.done == 0 {
		c, err := r.do(ctx, t.Task)
		if err != nil && r.m.GiveUp != nil && t.attempts >= r.m.Backoff.Attempts && ctx.Err() == nil && !isOuter(err) && !isLater(err) {
			c, err = r.m.GiveUp(ctx, t.Task, ErrorText(err))
		}
		if err != nil {
			return err
		}
		if c != nil {
			if t.done, err = r.complete(ctx, t, c); err != nil {
				return err
			}
			if err := r.keep(ctx, *t); err != nil {
				return &outerError{err}
			}
		}
	}
	if r.m.Done != nil {
		if err := r.m.Done(ctx, t.Task); err != nil {
			return err
		}
	}
	if r.m.View != nil && t.done > 0 {
		// Until the view has it the row says that it is done.
		if err := r.awaitView(ctx, t.done); err != nil {
			return &outerError{err}
		}
	}
	if err := r.forget(ctx, t.Key); err != nil {
		return &outerError{err}
	}
	return nil
}

// viewWithin bounds how long one attempt waits for the read model.
const viewWithin = 30 * time.Second

func (r *Runner) awaitView(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, viewWithin)
	defer cancel()
	return r.m.View.Wait(ctx, seq)
}

// do makes a panic an error of the task.
func (r *Runner) do(ctx context.Context, t Task) (c *Completion, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.Logger.Error("a task panicked", "task", t.Key, "panic", p, "stack", string(debug.Stack()))
			err = errors.New("the task panicked; the program's log says where")
		}
	}()
	return r.m.Do(ctx, t)
}

// An outerError is one of the log, the view or the store: it says nothing about
// the task.
type outerError struct{ error }

func (e *outerError) Unwrap() error { return e.error }

func isOuter(err error) bool {
	var outer *outerError
	return errors.As(err, &outer) ||
		errors.Is(err, events.ErrReadOnly) || errors.Is(err, events.ErrNoSpace) || errors.Is(err, events.ErrUncertain)
}

// A Later is the error of a task that cannot be done before a time, such as one that a rate
// limit names. It is tried again then, and that was no attempt.
type Later struct {
	At  time.Time // at most a day from now counts
	Err error     // why
}

func (e *Later) Error() string { return e.Err.Error() }
func (e *Later) Unwrap() error { return e.Err }

const latest = 24 * time.Hour

func isLater(err error) bool {
	var later *Later
	return errors.As(err, &later)
}

// fail keeps what went wrong, and when to try again.
func (r *Runner) fail(ctx context.Context, t row, err error) {
	now := time.Now()
	if ctx.Err() != nil {
		r.interrupted(t)
		return
	}
	var later *Later
	switch {
	case errors.As(err, &later):
		t.attempts--
		t.next = now.Add(min(max(later.At.Sub(now), r.m.Backoff.First), latest))
		t.err = ErrorText(err)
	case isOuter(err): // that is no attempt, and no reason to give the task up
		t.attempts--
		t.next = now.Add(min(10*r.m.Backoff.First, r.m.Backoff.Max))
		t.err = ErrorText(err)
	default:
		t.next = now.Add(r.m.Backoff.pause(t.attempts, rand.Float64()))
		t.err = ErrorText(err)
		if t.attempts >= r.m.Backoff.Attempts && r.mayDie(ctx) {
			t.dead = now
		}
	}
	if later == nil { // who returns a Later shows it to those whom it concerns
		r.failed(fmt.Errorf("task %s, attempt %d: %w", t.Key, t.attempts, err))
	}
	if err := r.keep(ctx, t); err != nil {
		r.failed(fmt.Errorf("keep the attempt at task %s: %w", t.Key, err))
	}
}

// interrupted takes back an attempt that was broken off because this node stops
// or does not lead any more. It is given a short time, since nothing rests on it.
func (r *Runner) interrupted(t row) {
	counted := t.attempts
	t.attempts--
	t.next = time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := r.keepUnlessTaken(ctx, t, counted); err != nil {
		r.Logger.Debug("an attempt that was broken off stays counted", "task", t.Key, "error", err)
	}
}

// mayDie says whether there is room for one more dead letter.
func (r *Runner) mayDie(ctx context.Context) bool {
	n, err := r.countDead(ctx)
	return err == nil && n < MaxDead
}

package access

import (
	"context"
	"time"
)

const (
	// maxStale is how far the accounts may be behind the log: a right that was
	// taken away must not count for longer.
	maxStale  = time.Second
	lookEvery = maxStale / 4
)

// A mark is what the log's last sequence was at some time.
type mark struct {
	at  time.Duration // since Rights was made
	seq uint64
}

// Run measures every quarter of a second how far the view is behind the log,
// until ctx ends.
func (r *Rights) Run(ctx context.Context) {
	var marks []mark
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for failing := false; ; {
		at := time.Since(r.started)
		asking, cancel := context.WithTimeout(ctx, maxStale)
		seq, err := r.cfg.Log.LastSeq(asking)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			marks = append(marks, mark{at, seq})
		case !failing:
			r.cfg.Logger.Warn("cannot tell how fresh the accounts are", "error", err)
		}
		failing = err != nil
		marks = r.reached(marks)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reached notes which marks the view has passed, and returns the others. The
// view may never reach the end of a log that always grows, but it reaches where
// the end was a moment ago.
func (r *Rights) reached(marks []mark) []mark {
	position := r.cfg.View.Position()
	n := 0
	for n < len(marks) && marks[n].seq <= position {
		r.caughtUp.Store(int64(marks[n].at))
		n++
	}
	// One that is too old can make nothing fresh any more.
	for n < len(marks) && time.Since(r.started)-marks[n].at > maxStale {
		n++
	}
	return append(marks[:0], marks[n:]...)
}

// Fresh is nil when the view had all of the log a second ago or later, and ErrStale
// otherwise. As long as Run can tell, it costs nothing. When it cannot, because the machine
// is busy or the view is behind, the end of the log is asked for and waited for, for at
// most a second.
func (r *Rights) Fresh(ctx context.Context) error {
	if at := r.caughtUp.Load(); at >= 0 && time.Since(r.started)-time.Duration(at) <= maxStale {
		return nil
	}
	select {
	case look := <-r.looks.DoChan("", r.lookNow):
		return look.Err
	case <-ctx.Done():
		return ErrStale
	}
}

// lookNow is for all requests that come while it goes on, which is at most maxStale.
func (r *Rights) lookNow() (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxStale)
	defer cancel()
	seq, err := r.cfg.Log.LastSeq(ctx)
	if err != nil {
		return nil, ErrStale
	}
	_ = r.cfg.View.Wait(ctx, seq) // the position says what came of it
	if r.cfg.View.Position() < seq {
		return nil, ErrStale
	}
	return nil, nil
}

package eventlog

import (
	"context"
	"time"

	"hubledger/projections/trail"
	"hubledger/services/internal/access"
	"hubledger/services/internal/eventquery"
)

// lookForMore is how often Follow looks whether there are new events.
const lookForMore = 100 * time.Millisecond

// looksAtOnce bounds how many of those who follow look through the log at the same time:
// one that begins far back goes through all of it, and all look when an event comes.
const looksAtOnce = 4

// Last is the sequence behind which Follow begins to have only what is new.
func (r *Reader) Last(ctx context.Context) (uint64, error) {
	end, err := r.end(ctx)
	return max(end, 1) - 1, err
}

// Follow calls fn with the events behind a sequence that p may read and that q asks for,
// in the order of the log, as they come. at is how far it has looked; the list may be
// empty, and is at least each time that Follow has looked and found nothing new. It ends
// with ctx, or with an error of fn. Rights are those of the moment.
func (r *Reader) Follow(ctx context.Context, p access.Principal, q eventquery.Query, after uint64, fn func(list []Event, at uint64) error) error {
	since, before := q.Between(r.Now())
	for {
		list, at, err := r.behind(ctx, p, q, after)
		if err != nil {
			return err
		}
		kept := list[:0]
		for _, e := range list {
			if t := e.Time(); !t.Before(since) && (before.IsZero() || t.Before(before)) {
				kept = append(kept, e)
			}
		}
		if err := fn(kept, at); err != nil {
			return err
		}
		if at > after {
			after = at
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookForMore):
		}
	}
}

// behind looks at the next events behind a sequence, and returns how far it has looked.
func (r *Reader) behind(ctx context.Context, p access.Principal, q eventquery.Query, after uint64) ([]Event, uint64, error) {
	if r.Position() <= after {
		return nil, after, nil
	}
	select {
	case r.looks <- struct{}{}:
		defer func() { <-r.looks }()
	case <-ctx.Done():
		return nil, after, ctx.Err()
	}
	end, err := r.end(ctx)
	if err != nil {
		return nil, after, err
	}
	seqs, err := r.trail.All(ctx, trail.Range{After: after, Before: end}, false, r.bounds.atOnce)
	if err != nil || len(seqs) == 0 {
		return nil, after, err
	}
	h, err := r.Rights.Holdings(ctx, p)
	if err != nil {
		return nil, after, err
	}
	conditions, err := r.conditions(ctx, q) // its names may be new
	if err != nil {
		return nil, after, err
	}
	at := seqs[len(seqs)-1]
	kept, err := r.matching(ctx, &h, conditions, seqs)
	if err != nil {
		return nil, after, err
	}
	list, err := r.read(ctx, kept)
	if n := len(list); n > 0 && list[n-1].Seq != kept[len(kept)-1] { // too much data at once
		at = list[n-1].Seq
	}
	return list, at, err
}

package eventlog

import (
	"context"

	"hubledger/projections/trail"
	"hubledger/services/internal/access"
	"hubledger/services/internal/eventquery"
)

// Options say which page of events is wanted.
type Options struct {
	// Behind is the sequence behind which the page begins, in its direction: Next of
	// the page before. 0 begins at the newest event, or the oldest.
	Behind      uint64
	OldestFirst bool
	Limit       int // of events, 1 to MaxPage
}

// MaxPage is the most events of one page.
const MaxPage = 100

// A Page is some of the events that match, in order.
type Page struct {
	Events []Event
	// Next is Behind of the next page; 0 when there is none.
	Next uint64
	// Scanned is not 0 when the page ends because enough was looked through, and not
	// because it is full: the sequence as far as which it has looked. There may be more.
	Scanned uint64
}

// bounds of the work for one page; tests have smaller ones.
type bounds struct {
	examined int // events that it looks through, or look-ups if these are more; see scan.work
	atOnce   int // of them, by one statement
	scopes   int // lists of what a principal may read that it looks through together
}

var usual = bounds{examined: 10_000, atOnce: 500, scopes: 200}

// Page returns events that p may read and that q asks for.
func (r *Reader) Page(ctx context.Context, p access.Principal, q eventquery.Query, o Options) (*Page, error) {
	if o.Behind == 0 {
		r.CatchUp(ctx)
	}
	h, err := r.Rights.Holdings(ctx, p)
	if err != nil {
		return nil, err
	}
	conditions, err := r.conditions(ctx, q)
	if err != nil {
		return nil, err
	}
	in, err := r.span(ctx, q, o)
	if err != nil {
		return nil, err
	}
	s := scan{r: r, h: &h, conditions: conditions, in: in, newestFirst: !o.OldestFirst, limit: min(max(o.Limit, 1), MaxPage)}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	page := &Page{Next: s.next, Scanned: s.scanned}
	if page.Events, err = r.read(ctx, s.found); err != nil {
		return nil, err
	}
	// It has too much data for all that was found.
	if n := len(page.Events); n > 0 && page.Events[n-1].Seq != s.found[len(s.found)-1] {
		page.Next, page.Scanned = page.Events[n-1].Seq, 0
	}
	return page, nil
}

// span is the sequences among which a page looks.
func (r *Reader) span(ctx context.Context, q eventquery.Query, o Options) (in trail.Range, err error) {
	if in.Before, err = r.end(ctx); err != nil {
		return in, err
	}
	since, before := q.Between(r.Now())
	if !since.IsZero() {
		first, err := r.trail.At(ctx, since)
		if err != nil {
			return in, err
		}
		in.After = max(first, 1) - 1
	}
	if !before.IsZero() {
		first, err := r.trail.At(ctx, before)
		if err != nil {
			return in, err
		}
		in.Before = min(in.Before, first)
	}
	switch {
	case o.Behind == 0:
	case o.OldestFirst:
		in.After = max(in.After, o.Behind)
	default:
		in.Before = min(in.Before, o.Behind)
	}
	return in, nil
}

// A scan looks for the events of one page.
type scan struct {
	r           *Reader
	h           *access.Holdings
	conditions  []condition
	in          trail.Range
	newestFirst bool
	limit       int

	found         []uint64
	next, scanned uint64
}

func (s *scan) run(ctx context.Context) error {
	all := s.h.All && s.h.Whole
	d, narrow := s.r.narrow(s.conditions)
	var err error
	if narrow {
		if done, err := s.through(ctx, d); done || all || err != nil {
			return err
		}
		// Where it has stopped would tell how much there is that may not be read.
		s.found, s.next, s.scanned = nil, 0, 0
	}
	if all {
		d, err = s.r.rarest(ctx, s.conditions, s.in, s.newestFirst)
	} else {
		d, err = s.r.within(ctx, s.h, s.conditions)
	}
	if err == nil {
		_, err = s.through(ctx, d)
	}
	return err
}

// through goes through a driver until the page is full or the driver has no more; false
// when it has looked through enough first.
func (s *scan) through(ctx context.Context, d driver) (done bool, err error) {
	in, n := s.in, min(max(64, 2*s.limit), s.r.bounds.atOnce)
	for examined := 0; examined < s.r.bounds.examined; n = min(2*n, s.r.bounds.atOnce) {
		seqs, err := d.next(ctx, in, s.newestFirst, n)
		if err != nil {
			return false, err
		}
		kept, err := s.r.matching(ctx, s.h, s.conditions, seqs)
		if err != nil {
			return false, err
		}
		if s.found = append(s.found, kept...); len(s.found) > s.limit {
			s.found = s.found[:s.limit]
			s.next, s.scanned = s.found[s.limit-1], 0
			return true, nil
		}
		if len(seqs) < n {
			s.next, s.scanned = 0, 0
			return true, nil
		}
		at := seqs[n-1]
		if s.newestFirst {
			in.Before = at
		} else {
			in.After = at
		}
		examined += s.work(seqs)
		s.next, s.scanned = at, at
	}
	return false, nil
}

// work is what it costs to look through events of a driver: as many as they are where they
// stand close together, since what is asked of them is read in a row then. Those that stand
// far apart, such as the events of one repository in a log of many, are looked up one by one
// in every list that a condition has. Nothing of this depends on what the events are, which
// the principal may not know.
func (s *scan) work(seqs []uint64) int {
	lookUps := 0
	for _, c := range s.conditions {
		lookUps += max(1, len(c.lists))
	}
	if trail.Near(seqs) {
		lookUps = 1
	}
	return len(seqs) * max(1, lookUps)
}

// matching are those of the sequences whose events meet the conditions and may be read.
func (r *Reader) matching(ctx context.Context, h *access.Holdings, conditions []condition, seqs []uint64) (kept []uint64, err error) {
	kept = seqs
	for k := range conditions {
		if len(kept) == 0 {
			return nil, nil
		}
		if kept, err = r.keep(ctx, &conditions[k], kept); err != nil {
			return nil, err
		}
	}
	return r.readable(ctx, h, kept)
}

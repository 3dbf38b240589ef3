package eventlog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/projections/journal"
	"hubledger/services/internal/access"
	"hubledger/services/internal/eventquery"
)

// MaxExport is the most events of one export.
const MaxExport = 100_000

// exportSearch bounds how long an export looks for its events.
const exportSearch = 10 * time.Second

// An Export is events that match, the oldest first, to be read one after the other.
type Export struct {
	// Through is the sequence as far as which it has all that match.
	Through uint64
	// More says that there may be others behind it.
	More bool

	r     *Reader
	every bool     // it has every event from first to Through
	first uint64   // of every event
	seqs  []uint64 // otherwise
}

// Export finds at most limit events behind a sequence that p may read and that q asks for.
func (r *Reader) Export(ctx context.Context, p access.Principal, q eventquery.Query, after uint64, limit int) (*Export, error) {
	r.CatchUp(ctx)
	h, err := r.Rights.Holdings(ctx, p)
	if err != nil {
		return nil, err
	}
	conditions, err := r.conditions(ctx, q)
	if err != nil {
		return nil, err
	}
	in, err := r.span(ctx, q, Options{Behind: after, OldestFirst: true})
	if err != nil {
		return nil, err
	}
	limit = min(max(limit, 1), MaxExport)
	end := max(in.After, in.Before-1)
	x := &Export{r: r, Through: end}
	if h.All && h.Whole && len(conditions) == 0 {
		x.every, x.first = true, in.After+1
		x.Through = min(end, in.After+uint64(limit))
		x.More = x.Through < end
		return x, nil
	}
	for until := r.Now().Add(exportSearch); ; {
		s := scan{r: r, h: &h, conditions: conditions, in: in, limit: min(limit-len(x.seqs), 1000)}
		if err := s.run(ctx); err != nil {
			return nil, err
		}
		x.seqs = append(x.seqs, s.found...)
		if s.next == 0 {
			return x, nil
		}
		if in.After = s.next; len(x.seqs) == limit || r.Now().After(until) {
			x.Through, x.More = s.next, true
			return x, nil
		}
	}
}

// Each calls yield with each event and its sentence.
func (x *Export) Each(ctx context.Context, yield func(*Event) error) error {
	return x.batches(ctx, func(ctx context.Context, seqs []uint64, out func([]Event) error) error {
		for len(seqs) > 0 {
			list, err := x.r.read(ctx, seqs[:min(len(seqs), MaxPage)])
			if err != nil || len(list) == 0 {
				return err
			}
			if err := out(list); err != nil {
				return err
			}
			seqs = seqs[slices.Index(seqs, list[len(list)-1].Seq)+1:]
		}
		return nil
	}, yield)
}

// EachBare calls yield with each event without its sentence and its leaf, which is many times
// as fast. An event that is missing is an error.
func (x *Export) EachBare(ctx context.Context, yield func(*Event) error) error {
	if scan := x.r.Files(); x.every && scan != nil {
		return ahead(ctx, func(ctx context.Context, out func([]Event) error) error { return x.scan(ctx, scan, out) }, yield)
	}
	read := func(ctx context.Context, seqs []uint64, out func([]Event) error) error {
		for len(seqs) > 0 {
			entries, err := journal.Some(ctx, x.r.Journal, seqs, maxData)
			if err != nil {
				return err
			}
			if err := out(bare(entries)); err != nil {
				return err
			}
			if len(entries) == 0 || entries[len(entries)-1].Seq != seqs[len(entries)-1] {
				return missing(seqs, entries)
			}
			seqs = seqs[len(entries):]
		}
		return nil
	}
	return x.batches(ctx, read, yield)
}

func bare(entries []journal.Entry) []Event {
	list := make([]Event, len(entries))
	for k := range entries {
		list[k].Entry = entries[k]
	}
	return list
}

func missing(seqs []uint64, entries []journal.Entry) error {
	for k, seq := range seqs {
		if k >= len(entries) || entries[k].Seq != seq {
			return fmt.Errorf("event %d: %w", seq, journal.ErrNotFound)
		}
	}
	return nil
}

// readAtOnce is how many events are read by one statement.
const readAtOnce = 500

// scan reads from the log's own files.
func (x *Export) scan(ctx context.Context, scan func(context.Context, uint64, uint64, func(*events.Event) error) error, out func([]Event) error) error {
	if x.first > x.Through {
		return nil
	}
	var list []Event
	size := 0
	err := scan(ctx, x.first, x.Through, func(e *events.Event) error {
		list = append(list, Event{Entry: journal.Entry{Event: *e}})
		if size += len(e.Data); len(list) < readAtOnce && size < maxData {
			return nil
		}
		full := list
		list, size = make([]Event, 0, readAtOnce), 0
		return out(full)
	})
	if err != nil || len(list) == 0 {
		return err
	}
	return out(list)
}

// batches reads some sequences after the other, ahead of yield.
func (x *Export) batches(ctx context.Context, read func(ctx context.Context, seqs []uint64, out func([]Event) error) error, yield func(*Event) error) error {
	return ahead(ctx, func(ctx context.Context, out func([]Event) error) error {
		return x.eachRange(func(seqs []uint64) error { return read(ctx, seqs, out) })
	}, yield)
}

// ahead reads ahead of yield, so that reading and writing each have a processor.
func ahead(ctx context.Context, read func(ctx context.Context, out func([]Event) error) error, yield func(*Event) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ready, failed := make(chan []Event, 2), make(chan error, 1)
	go func() {
		defer close(ready)
		failed <- read(ctx, func(list []Event) error {
			select {
			case ready <- list:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	var err error
	for list := range ready {
		for k := 0; k < len(list) && err == nil; k++ {
			err = yield(&list[k])
		}
		if err != nil {
			stop()
		}
	}
	if ended := <-failed; err == nil {
		err = ended
	}
	return err
}

// eachRange calls fn with the sequences of the export, some at a time.
func (x *Export) eachRange(fn func(seqs []uint64) error) error {
	if !x.every {
		for part := range slices.Chunk(x.seqs, readAtOnce) {
			if err := fn(part); err != nil {
				return err
			}
		}
		return nil
	}
	for first := x.first; first <= x.Through; first += readAtOnce {
		seqs := make([]uint64, min(readAtOnce, x.Through-first+1))
		for k := range seqs {
			seqs[k] = first + uint64(k)
		}
		if err := fn(seqs); err != nil {
			return err
		}
	}
	return nil
}

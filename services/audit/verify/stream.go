package verify

import (
	"context"
	"crypto/sha256"
	"errors"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/journal"
)

// A row is one event of a copy of the log.
type row struct {
	seq     uint64
	content events.Leaf // of what the copy says
	stored  events.Leaf // that stands beside it
	moved   bool        // it is found by what it does not say
	err     error       // why it cannot be read
	// redacted says that the copy has the event without its data. Then the leaf does not say
	// what is left of it, and rest, a hash of that, does.
	redacted bool
	rest     events.Leaf
}

// A stream is a copy that is read ahead of the comparison.
type stream struct {
	chunks chan []row
	err    error // set when chunks is closed
	have   []row
	ended  bool
}

// start reads in the background until ctx ends.
func start(ctx context.Context, read func(yield func(row) error) error) *stream {
	const size = 1000
	s := &stream{chunks: make(chan []row, 2)}
	go func() {
		defer close(s.chunks)
		chunk := make([]row, 0, size)
		send := func() error {
			select {
			case s.chunks <- chunk:
				chunk = make([]row, 0, size)
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		s.err = read(func(r row) error {
			if chunk = append(chunk, r); len(chunk) < size {
				return nil
			}
			return send()
		})
		if err := send(); s.err == nil {
			s.err = err
		}
	}()
	return s
}

// at is the row of a sequence, nil when the copy does not have it; asked for in order. The
// error says why nothing can be read from here on, once all before it was returned.
func (s *stream) at(seq uint64) (*row, error) {
	if s == nil {
		return nil, nil
	}
	for len(s.have) == 0 {
		if s.ended {
			return nil, s.err
		}
		chunk, more := <-s.chunks
		if s.have = chunk; !more {
			s.ended = true
		}
	}
	if s.have[0].seq != seq {
		return nil, nil
	}
	r := &s.have[0]
	s.have = s.have[1:]
	return r, nil
}

// readJournal reads the journal up to a sequence. Of a row that cannot be read it says why.
func readJournal(ctx context.Context, db projections.DB, last uint64, yield func(row) error) error {
	const size = 1000
	for after := uint64(0); after < last; {
		list, err := journal.List(ctx, db, journal.Filter{After: after, Limit: size})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil { // one by one, to find out which it is
			for seq := after + 1; seq <= min(after+size, last); seq++ {
				one, err := journal.Event(ctx, db, seq)
				r := row{seq: seq, err: err}
				if errors.Is(err, journal.ErrNotFound) {
					continue
				}
				if err == nil {
					r = rowOf(one)
				}
				if err := yield(r); err != nil {
					return err
				}
			}
			after += size
			continue
		}
		if len(list) == 0 {
			return nil
		}
		for k := range list {
			if list[k].Seq > last {
				return nil
			}
			if err := yield(rowOf(&list[k])); err != nil {
				return err
			}
		}
		after = list[len(list)-1].Seq
	}
	return nil
}

// rowOf is an entry of the journal.
func rowOf(e *journal.Entry) row {
	r := eventRow(&e.Event)
	r.stored, r.moved = e.Leaf, !e.Findable()
	return r
}

func eventRow(e *events.Event) row {
	r := row{seq: e.Seq, content: events.LeafOf(e)}
	if _, r.redacted = e.Redacted(); r.redacted {
		r.rest = sha256.Sum256(events.Record(e))
	}
	return r
}

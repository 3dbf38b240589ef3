// Package eventlog is the log as people read it: pages of events that a principal may
// read and that match a query, one event with what led to it, and those that come. The
// API, the command line and pages answer from it.
package eventlog

import (
	"context"
	"errors"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/services/internal/access"
	"hubledger/services/internal/service"
)

// ErrUnknown: there is no such event, or the principal may not read it.
var ErrUnknown = errors.New("there is no such event")

// Config is what a Reader needs; all fields are required, but for Files and the clock.
type Config struct {
	Trail   projections.DB // of the read model trail; it must not keep statements
	Journal projections.DB // of the journal; it must not keep statements
	// Position is the last sequence that the trail has committed.
	Position func() uint64
	// CatchUp waits, bounded, until both read models have what the log has now.
	CatchUp  func(ctx context.Context)
	Accounts accounts.Reader
	// NamespaceOfBuild is the id of the namespace of the build with that id, "" for none.
	NamespaceOfBuild func(ctx context.Context, build string) (string, error)
	// EventOfDeployment is the id of the event that asked for the deployment with that id, or for the one
	// that brought the container with that id or name; "" for none.
	EventOfDeployment func(ctx context.Context, what string) (string, error)
	// EventsOfDeployment are the sequences of the events of the deployment with that id, in order.
	EventsOfDeployment func(ctx context.Context, id string) ([]uint64, error)
	Rights             interface {
		Holdings(ctx context.Context, p access.Principal) (access.Holdings, error)
	}
	// Teller describes the events of one page to people.
	Teller func(ctx context.Context) func(e *events.Event) service.Text
	// Files is what reads a range of sequences from the log's own files, which is faster than
	// from the journal; it gives nil where these are elsewhere, or not trusted now.
	Files func() func(ctx context.Context, from, to uint64, each func(*events.Event) error) error
	// Now is the clock for times such as 2h; nil: time.Now.
	Now func() time.Time
}

// A Reader reads the log for principals.
type Reader struct {
	Config
	trail  trail.Reader
	bounds bounds
	looks  chan struct{} // has one for each follower that looks
}

// New makes a Reader.
func New(c Config) *Reader {
	if c.Files == nil {
		c.Files = func() func(context.Context, uint64, uint64, func(*events.Event) error) error { return nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Reader{Config: c, trail: trail.Reader{DB: c.Trail}, bounds: usual, looks: make(chan struct{}, looksAtOnce)}
}

// An Event is one event of the log with its sentence, which begins behind the actor.
type Event struct {
	journal.Entry
	Sentence service.Text
}

// end is one more than the last sequence that both read models have.
func (r *Reader) end(ctx context.Context) (uint64, error) {
	last, err := r.trail.Last(ctx)
	if err != nil {
		return 0, err
	}
	kept, err := journal.Last(ctx, r.Journal)
	return min(last, kept) + 1, err
}

// maxData bounds the data of the events of one page in bytes: a page ends early.
const maxData = 4 << 20

// read reads events with their sentences, in the order of seqs. When there is too much
// data, it returns the first ones; at least one.
func (r *Reader) read(ctx context.Context, seqs []uint64) ([]Event, error) {
	var list []Event
	say, size := r.Teller(ctx), 0
	const few = 10
	for k := 0; k < len(seqs) && size < maxData; k += few {
		part := seqs[k:min(k+few, len(seqs))]
		found := map[uint64]*journal.Entry{}
		// All of them at once, unless they are large: then one by one.
		entries, err := journal.Some(ctx, r.Journal, part, maxData)
		if err != nil {
			return nil, err
		}
		for n := range entries {
			found[entries[n].Seq] = &entries[n]
		}
		for _, seq := range part {
			e := found[seq]
			if e == nil {
				if e, err = journal.Event(ctx, r.Journal, seq); errors.Is(err, journal.ErrNotFound) {
					continue // it is parked
				} else if err != nil {
					return nil, err
				}
			}
			list = append(list, Event{*e, say(&e.Event)})
			if size += len(e.Data); size >= maxData {
				break
			}
		}
	}
	return list, nil
}

// Package gc collects the blobs that nothing holds any more, while clients push
// and pull.
package gc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/registry/leases"
)

// sweepBatch is how many blobs one blobs.swept event names at most.
const sweepBatch = 500

// ErrParked says that the images read model has set events aside, so that holds
// may be missing.
var ErrParked = errors.New("the images projection has parked events: garbage collection stops until a new projection version has applied them")

// Log is the log as the collector needs it.
type Log interface {
	command.Log
	LastSeq(ctx context.Context) (uint64, error)
}

// View is the progress of the images read model.
type View interface {
	// Wait returns when the event of that sequence is committed.
	Wait(ctx context.Context, seq uint64) error
	HasParked() bool
}

// Blobs is the store that is collected.
type Blobs interface {
	// Stat is a blob's size in bytes; blobs.ErrNotFound, or blobs.ErrDamaged.
	Stat(ctx context.Context, d digest.Digest) (size int64, err error)
	// Walk calls fn for every durable blob, damaged ones too, in no order, with
	// the time at which its content was written. fn may remove blobs.
	Walk(ctx context.Context, fn func(d digest.Digest, size int64, modified time.Time) error) error
	// Remove takes a blob away; that it is not there is no error.
	Remove(ctx context.Context, d digest.Digest) error
}

// Config is what a Collector works with; all fields are required.
type Config struct {
	Log    Log
	View   View
	Images images.Reader
	Blobs  Blobs
	Leases *leases.Store
	// LeaseTerm is how long a blob stays after its last hold ended.
	LeaseTerm time.Duration
	// Wait bounds how long a collection waits for the read model.
	Wait time.Duration
	// Swept is called with the size in bytes of each blob that was removed.
	Swept func(bytes int64)
}

// A Collector collects garbage, once at a time.
type Collector struct {
	Config
	collecting sync.Mutex
	resting    atomic.Bool
}

// New makes a collector. Nothing runs yet.
func New(c Config) *Collector { return &Collector{Config: c} }

// A Result says what one garbage collection did.
type Result struct {
	Seen    int    `json:"seen"`    // blobs looked at
	Swept   int    `json:"swept"`   // blobs removed
	Freed   int64  `json:"freed"`   // bytes
	Resting string `json:"resting"` // why nothing was collected; empty otherwise
}

// Collect removes the blobs that have had no hold for a lease term: no lease,
// and no manifest that is live or can be restored within the window. The
// comments of its steps say why that is safe while others push. progress is
// called now and then with the number of blobs looked at.
func (g *Collector) Collect(ctx context.Context, window time.Duration, progress func(seen int)) (Result, error) {
	var r Result
	if g.resting.Load() {
		return r, ErrResting
	}
	g.collecting.Lock()
	defer g.collecting.Unlock()
	if age := time.Since(g.Leases.Created()); age < g.LeaseTerm {
		r.Resting = fmt.Sprintf("the operational store is %s old; leases from before it may be lost, so nothing is collected for its first %s",
			age.Round(time.Second), g.LeaseTerm)
		return r, nil
	}
	if err := g.clearMarks(ctx); err != nil {
		return r, err
	}
	var batch []digest.Digest
	err := g.Blobs.Walk(ctx, func(d digest.Digest, size int64, modified time.Time) error {
		if r.Seen++; r.Seen%1000 == 0 {
			progress(r.Seen)
		}
		if time.Since(modified) < g.LeaseTerm {
			return nil
		}
		if free, err := g.unheld(ctx, d, window); err != nil || !free {
			return err
		}
		if batch = append(batch, d); len(batch) < sweepBatch {
			return nil
		}
		full := batch
		batch = nil
		return g.markAndSweep(ctx, full, window, &r)
	})
	if err == nil {
		err = g.markAndSweep(ctx, batch, window, &r)
	}
	progress(r.Seen)
	return r, err
}

// ErrResting: what wants to read all blobs, such as a backup, keeps them from being
// collected.
var ErrResting = errors.New("a backup is being made: nothing is collected until it has ended")

// Rest runs fn while nothing is collected. It waits for a collection that runs.
func (g *Collector) Rest(ctx context.Context, fn func(context.Context) error) error {
	g.collecting.Lock()
	defer g.collecting.Unlock()
	g.resting.Store(true)
	defer g.resting.Store(false)
	return fn(ctx)
}

// FinishSweeps is called at the start: it ends a collection whose process died,
// so that no push waits for it.
func (g *Collector) FinishSweeps(ctx context.Context) error {
	g.collecting.Lock()
	defer g.collecting.Unlock()
	return g.clearMarks(ctx)
}

// clearMarks removes the marks of a collection that died. Each of its blobs is
// gone or whole; one that is whole and still without a hold is found again. The
// caller has the lock of collecting, so that there are no other marks.
func (g *Collector) clearMarks(ctx context.Context) error {
	marks, err := g.Leases.Leaving(ctx)
	if err != nil || len(marks) == 0 {
		return err
	}
	var ds []digest.Digest
	for _, m := range marks {
		ds = append(ds, m.Digest)
	}
	return g.Leases.ClearLeaving(ctx, ds...)
}

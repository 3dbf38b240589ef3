package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"hubledger/events"
)

// RunnerConfig says what a Runner works on.
type RunnerConfig struct {
	Store  Store // says which projection it is
	Source Source
	Logger *slog.Logger // nil: slog.Default()
	// OnCommit is called after each commit and before Wait returns for its
	// events: the place to invalidate caches. It must not block. Nil: none.
	OnCommit func(Commit)
	MaxBatch int // events per transaction at most; 0 means 500
}

// A Commit says what a projection has just committed.
type Commit struct {
	From, To uint64 // the positions before and after
	// Events are those between From and To. Nil means that they are not
	// known, because another node committed them or the connection was lost:
	// drop all caches.
	Events []events.Event
}

// A Runner keeps one store up with the log.
type Runner struct {
	cfg     RunnerConfig
	m       *Model
	log     *slog.Logger
	folding foldBuffer
	ops     Ops
	applier *Applier
	known   atomic.Pointer[parking] // a copy for readers, nil while nothing is parked
	waiters waiters
}

// NewRunner makes a Runner; Run starts it.
func NewRunner(cfg RunnerConfig) *Runner {
	if cfg.MaxBatch == 0 {
		cfg.MaxBatch = 500
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	m := cfg.Store.Model()
	return &Runner{cfg: cfg, m: m, log: cfg.Logger.With("projection", m.Name, "version", m.Version), applier: NewApplier(m)}
}

// Run applies the log until ctx ends, and returns nil then. An error that another
// try may cure, such as a full disk or a lost connection, is logged, and Run tries
// again.
func (r *Runner) Run(ctx context.Context) error {
	const first, longest = 50 * time.Millisecond, 5 * time.Second
	wait := first
	for {
		before := r.Position()
		err := r.run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if r.Position() > before {
			wait = first
		}
		r.log.Error("projection stopped, trying again", "position", r.Position(), "in", wait, "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, longest)
	}
}

func (r *Runner) run(ctx context.Context) error {
	w, err := r.cfg.Store.Lead(ctx, func(position uint64, parked int) { r.followed(ctx, position, parked) })
	if err != nil {
		return err
	}
	defer w.Release()
	list, err := r.cfg.Store.Parked(ctx)
	if err != nil {
		return err
	}
	r.applier = NewApplier(r.m)
	r.applier.parking.add(list...)
	r.publishParking()
	r.committed(Commit{From: r.Position(), To: w.Position()})
	position := w.Position()
	return r.cfg.Source.Follow(ctx, position, r.cfg.MaxBatch, func(batch []events.Event) error {
		for i := range batch {
			if batch[i].Seq != position+uint64(i)+1 {
				return fmt.Errorf("the log goes from event %d to %d", position+uint64(i), batch[i].Seq)
			}
		}
		if err := r.apply(ctx, w, position, batch); err != nil {
			return err
		}
		position += uint64(len(batch))
		return nil
	})
}

// apply commits a batch in one transaction, or event by event when its data
// is what a store refuses.
func (r *Runner) apply(ctx context.Context, w Writer, position uint64, batch []events.Event) error {
	tx, fresh := r.prepare(position, batch)
	err := w.Commit(ctx, tx)
	if err == nil {
		if len(fresh) > 0 {
			r.publishParking()
			for _, p := range fresh {
				r.log.Error("event parked: the projection cannot apply it", "seq", p.Seq, "subject", p.Subject, "type", p.Type, "reason", p.Reason)
			}
		}
		r.committed(Commit{From: tx.From, To: tx.To, Events: batch})
		return nil
	}
	for _, p := range fresh {
		delete(r.applier.parking, p.Subject)
	}
	var bad DataError
	if !errors.As(err, &bad) {
		return err
	}
	if len(batch) == 1 {
		return r.refuse(ctx, w, position, batch, bad)
	}
	for i := range batch {
		if err := r.apply(ctx, w, position+uint64(i), batch[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// prepare folds what the events do into one transaction. The events parked for
// the first time on their aggregate are returned, too.
func (r *Runner) prepare(position uint64, batch []events.Event) (tx *Transaction, fresh []Parked) {
	r.ops.Reset()
	tx = &Transaction{From: position, To: position + uint64(len(batch))}
	for i := range batch {
		parked, first := r.applier.Apply(&batch[i], &r.ops)
		if parked != nil {
			tx.Parked = append(tx.Parked, *parked)
		}
		if first {
			fresh = append(fresh, *parked)
		}
	}
	tx.Changes = r.folding.fold(r.m, &r.ops)
	return tx, fresh
}

// refuse parks one event that the store did not take.
func (r *Runner) refuse(ctx context.Context, w Writer, position uint64, batch []events.Event, reason DataError) error {
	p := park(&batch[0], reason)
	if err := w.Commit(ctx, &Transaction{From: position, To: position + 1, Parked: []Parked{p}}); err != nil {
		return err
	}
	r.applier.parking.add(p)
	r.publishParking()
	r.log.Error("event parked: the store refused it", "seq", p.Seq, "subject", p.Subject, "type", p.Type, "reason", p.Reason)
	r.committed(Commit{From: position, To: position + 1, Events: batch})
	return nil
}

// followed notes what another process has committed.
func (r *Runner) followed(ctx context.Context, position uint64, parked int) {
	if parked > 0 {
		if list, err := r.cfg.Store.Parked(ctx); err == nil {
			r.applier.parking.add(list...)
			r.publishParking()
		}
	}
	r.committed(Commit{From: r.Position(), To: position})
}

func (r *Runner) committed(c Commit) {
	if r.cfg.OnCommit != nil {
		r.cfg.OnCommit(c)
	}
	r.waiters.reach(c.To)
}

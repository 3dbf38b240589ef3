package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"hubledger/projections"
	"hubledger/projections/bulk"
)

// A Model is a projection on this node: its live build, and the runner that
// applies events to it. Builds can be switched while it is in use.
type Model struct {
	Projection *projections.Projection
	// OnCommit is called with every commit, before those who wait for it go on. It
	// has to be set before the model is open.
	OnCommit func(c projections.Commit, parked bool)
	set      *Set

	switching sync.RWMutex // held for writing while builds are switched
	comparing sync.Mutex   // while builds are compared
	current   *running
}

// running is a build with the runner that keeps it up to date.
type running struct {
	store  projections.Store
	opened uint64 // position when it was opened; it counts until the runner runs
	runner *projections.Runner

	ended context.Context // ends when the runner is to stop; Background until it is started
	stop  context.CancelFunc
	done  chan struct{} // closed when the runner has stopped

	statements sync.Map // *sql.Stmt by its text
}

// open opens the live build in a storage, which must be one of that generation of
// the log unless it is "". It makes a build when there is none.
func (m *Model) open(ctx context.Context, storage projections.Storage, generation string) error {
	store, err := storage.Open(ctx, m.Projection, projections.Options{Generation: generation, Logger: m.set.Logger})
	if err != nil {
		return fmt.Errorf("%w; if its files are damaged, move them away: the next start rebuilds the projection from the log", err)
	}
	position, err := store.Position(ctx)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	m.use(store, position)
	return nil
}

// use makes a store the live build. Its runner does not run yet.
func (m *Model) use(store projections.Store, position uint64) {
	r := &running{store: store, opened: position, ended: context.Background(), done: make(chan struct{})}
	r.runner = projections.NewRunner(projections.RunnerConfig{
		Store: store, Source: m.set.Log, Logger: m.set.Logger,
		OnCommit: func(c projections.Commit) {
			if m.OnCommit != nil {
				m.OnCommit(c, r.runner.HasParked())
			}
		},
	})
	m.current = r
}

func (m *Model) start() {
	r := m.current
	ctx, stop := context.WithCancel(m.set.ending)
	r.stop = stop
	r.ended = ctx
	m.set.running.Go(func() {
		defer close(r.done)
		if err := r.runner.Run(ctx); err != nil {
			m.set.Logger.Error("projection ended", "projection", m.Projection.Name, "error", err)
		}
	})
}

// Wait returns when the live build has committed the event of that sequence. When
// builds are switched meanwhile, it waits for the new one: see Switch.
func (m *Model) Wait(ctx context.Context, seq uint64) error {
	for {
		r := m.now()
		if r.runner.Position() >= seq {
			return r.runner.Wait(ctx, seq)
		}
		waiting, cancel := context.WithCancel(ctx)
		unhook := context.AfterFunc(r.ended, cancel)
		err := r.runner.Wait(waiting, seq)
		unhook()
		cancel()
		if err == nil || ctx.Err() != nil || r.ended.Err() == nil || m.set.ending.Err() != nil || m.now() == r {
			return err
		}
	}
}

// HasParked says whether the live build has parked events.
func (m *Model) HasParked() bool { return m.now().runner.HasParked() }

// IsParked says whether the live build has parked events of a subject.
func (m *Model) IsParked(subject string) bool { return m.now().runner.IsParked(subject) }

// Parked are the events that the live build has parked.
func (m *Model) Parked(ctx context.Context) ([]projections.Parked, error) {
	return m.now().runner.Parked(ctx)
}

// Position is the sequence of the last event that the live build has committed.
func (m *Model) Position() uint64 {
	r := m.now()
	return max(r.opened, r.runner.Position())
}

// now is the build that is live. It waits while builds are switched.
func (m *Model) now() *running {
	m.switching.RLock()
	defer m.switching.RUnlock()
	return m.current
}

// IsOpen says whether the model has a build.
func (m *Model) IsOpen() bool { return m.now() != nil }

// Store is the live build.
func (m *Model) Store() projections.Store { return m.now().store }

// Close closes the live build, when its runner has ended.
func (m *Model) Close() error {
	if m.current == nil {
		return nil
	}
	for _, stmt := range m.current.statements.Range {
		stmt.(*sql.Stmt).Close()
	}
	return m.current.store.Close()
}

// rebuild loads the read model in bulk. Its runner does not run yet.
func (m *Model) rebuild(ctx context.Context) error {
	if err := m.Close(); err != nil {
		return err
	}
	err := bulk.Rebuild(ctx, bulk.Config{Projection: m.Projection, Storage: m.set.storage, Source: m.set.Log,
		Generation: m.set.Log.Generation(), Logger: m.set.Logger}, func(done, total uint64) {
		m.set.Progress("rebuilding projection "+m.Projection.Name, int64(done), int64(total))
	})
	if err != nil {
		return err
	}
	return m.open(ctx, m.set.storage, m.set.Log.Generation())
}

// catchUp brings the read model to the end of the log, in bulk when it is new and
// the log is long, and reports progress.
func (m *Model) catchUp(ctx context.Context) error {
	var last uint64
	err := m.set.Log.WhileStarting(ctx, func() (err error) {
		last, err = m.set.Log.LastSeq(ctx)
		return err
	})
	if err != nil {
		return err
	}
	position, err := m.current.store.Position(ctx)
	if err != nil {
		return err
	}
	if bulk.NeedsRebuild(position, last) {
		if err := m.rebuild(ctx); err != nil {
			return fmt.Errorf("rebuild projection %s: %w", m.Projection.Name, err)
		}
	}
	m.start()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	reached := make(chan error, 1)
	go func() {
		err := m.Wait(ctx, last)
		if errors.Is(err, projections.ErrParked) {
			err = nil // it cannot get further; projections ls shows the parked events
		}
		reached <- err
	}()
	for {
		select {
		case err := <-reached:
			return err
		case <-tick.C:
			m.set.Progress("projection "+m.Projection.Name, int64(m.Position()), int64(last))
		}
	}
}

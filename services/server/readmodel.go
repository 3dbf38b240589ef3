package server

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

// A readModel is a projection on this node: its live build, and the runner that
// applies events to it. Builds can be switched while it is in use.
type readModel struct {
	projection *projections.Projection
	node       *Node
	onCommit   func(c projections.Commit, parked bool)

	switching sync.RWMutex // held for writing while builds are switched
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

// readModel returns the one handle of a projection. It can be given to readers
// before it is open.
func (n *Node) readModel(p *projections.Projection) *readModel {
	for _, m := range n.handles {
		if m.projection == p {
			return m
		}
	}
	m := &readModel{projection: p, node: n}
	n.handles = append(n.handles, m)
	return m
}

// model finds a read model that is open on this node; nil when it is not.
func (n *Node) model(name string) *readModel {
	for _, m := range n.models {
		if m.projection.Name == name {
			return m
		}
	}
	return nil
}

// open opens the live build in a storage, which must be one of that generation of
// the log unless it is "". It makes a build when there is none.
func (m *readModel) open(ctx context.Context, storage projections.Storage, generation string) error {
	store, err := storage.Open(ctx, m.projection, projections.Options{Generation: generation, Logger: m.node.Logger})
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
func (m *readModel) use(store projections.Store, position uint64) {
	r := &running{store: store, opened: position, ended: context.Background(), done: make(chan struct{})}
	r.runner = projections.NewRunner(projections.RunnerConfig{
		Store: store, Source: m.node.log, Logger: m.node.Logger,
		OnCommit: func(c projections.Commit) {
			if m.onCommit != nil {
				m.onCommit(c, r.runner.HasParked())
			}
		},
	})
	m.current = r
}

func (m *readModel) start(ctx context.Context) {
	r := m.current
	ctx, r.stop = context.WithCancel(ctx)
	r.ended = ctx
	m.node.background(func() {
		defer close(r.done)
		if err := r.runner.Run(ctx); err != nil {
			m.node.Logger.Error("projection ended", "projection", m.projection.Name, "error", err)
		}
	})
}

// Wait returns when the live build has committed the event of that sequence. When
// builds are switched meanwhile, it waits for the new one: see switchTo.
func (m *readModel) Wait(ctx context.Context, seq uint64) error {
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
		if err == nil || ctx.Err() != nil || r.ended.Err() == nil || m.node.stopping() || m.now() == r {
			return err
		}
	}
}

func (m *readModel) HasParked() bool { return m.now().runner.HasParked() }

func (m *readModel) IsParked(subject string) bool { return m.now().runner.IsParked(subject) }

func (m *readModel) Position() uint64 {
	r := m.now()
	return max(r.opened, r.runner.Position())
}

// now is the build that is live. It waits while builds are switched.
func (m *readModel) now() *running {
	m.switching.RLock()
	defer m.switching.RUnlock()
	return m.current
}

func (m *readModel) db() *sql.DB { return m.now().store.DB() }

func (m *readModel) close() error {
	if m.current == nil {
		return nil
	}
	for _, stmt := range m.current.statements.Range {
		stmt.(*sql.Stmt).Close()
	}
	return m.current.store.Close()
}

// rebuild loads the read model in bulk. Its runner does not run yet.
func (m *readModel) rebuild(ctx context.Context) error {
	if err := m.close(); err != nil {
		return err
	}
	err := bulk.Rebuild(ctx, bulk.Config{Projection: m.projection, Storage: m.node.storage, Source: m.node.log,
		Generation: m.node.log.Generation(), Logger: m.node.Logger}, func(done, total uint64) {
		m.node.Progress("rebuilding projection "+m.projection.Name, int64(done), int64(total))
	})
	if err != nil {
		return err
	}
	return m.open(ctx, m.node.storage, m.node.log.Generation())
}

// catchUp brings the read model to the end of the log, in bulk when it is new and
// the log is long, and reports progress. run is the context of the runner.
func (m *readModel) catchUp(ctx, run context.Context) error {
	var last uint64
	err := m.node.log.WhileStarting(ctx, func() (err error) {
		last, err = m.node.log.LastSeq(ctx)
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
			return fmt.Errorf("rebuild projection %s: %w", m.projection.Name, err)
		}
	}
	m.start(run)
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
			m.node.Progress("projection "+m.projection.Name, int64(m.Position()), int64(last))
		}
	}
}

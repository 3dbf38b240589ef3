package cmd

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/pgstore"
	"hubledger/projections/sqlitestore"
)

// A view is a projection that runs: the build that is live, and its runner.
// Which build that is can change while it is in use.
type view struct {
	projection *projections.Projection
	hub        *hub
	onCommit   func(c projections.Commit, parked bool)

	switching sync.RWMutex // held for writing while builds are switched
	current   *running
}

// running is one build with the runner that keeps it up.
type running struct {
	store  projections.Store
	opened uint64 // position when it was opened: all there is while the runner does not run
	runner *projections.Runner

	ended context.Context // the runner is to stop; Background before it was started
	stop  context.CancelFunc
	done  chan struct{} // it has

	statements sync.Map // *sql.Stmt by its text
}

func (h *hub) openView(ctx context.Context, p *projections.Projection) (*view, error) {
	v := &view{projection: p, hub: h}
	return v, v.open(ctx)
}

func (v *view) open(ctx context.Context) error {
	store, err := v.hub.place.Open(ctx, v.projection, projections.Options{Generation: v.hub.log.Generation(), Logger: v.hub.Logger})
	if err != nil {
		return fmt.Errorf("%w; if it is damaged, move it away: the start makes it anew from the log", err)
	}
	position, err := store.Position(ctx)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	v.use(store, position)
	return nil
}

// placeOf is where projections are kept: SQLite files in the data directory, or
// schemas of a PostgreSQL database.
func placeOf(data, postgres string) projections.Storage {
	if postgres != "" {
		return pgstore.URL(postgres)
	}
	return sqlitestore.Dir(filepath.Join(data, "projections"))
}

// use makes a store the current one; its runner does not run yet.
func (v *view) use(store projections.Store, position uint64) {
	r := &running{store: store, opened: position, ended: context.Background(), done: make(chan struct{})}
	r.runner = projections.NewRunner(projections.RunnerConfig{
		Store: store, Source: v.hub.log, Logger: v.hub.Logger,
		OnCommit: func(c projections.Commit) {
			if v.onCommit != nil {
				v.onCommit(c, r.runner.HasParked())
			}
		},
	})
	v.current = r
}

func (v *view) start(ctx context.Context) {
	r := v.current
	ctx, r.stop = context.WithCancel(ctx)
	r.ended = ctx
	v.hub.chore(func() {
		defer close(r.done)
		if err := r.runner.Run(ctx); err != nil {
			v.hub.Logger.Error("projection ended", "projection", v.projection.Name, "error", err)
		}
	})
}

// Wait returns when the event of that sequence is committed, by the build that
// is live then: see switchTo.
func (v *view) Wait(ctx context.Context, seq uint64) error {
	for {
		r := v.now()
		if r.runner.Position() >= seq {
			return r.runner.Wait(ctx, seq)
		}
		waiting, cancel := context.WithCancel(ctx)
		unhook := context.AfterFunc(r.ended, cancel)
		err := r.runner.Wait(waiting, seq)
		unhook()
		cancel()
		if err == nil || ctx.Err() != nil || r.ended.Err() == nil || v.hub.stopping() || v.now() == r {
			return err
		}
	}
}

func (v *view) HasParked() bool { return v.now().runner.HasParked() }

func (v *view) IsParked(subject string) bool { return v.now().runner.IsParked(subject) }

func (v *view) Position() uint64 {
	r := v.now()
	return max(r.opened, r.runner.Position())
}

// now is the build that is live. While builds are switched it waits.
func (v *view) now() *running {
	v.switching.RLock()
	defer v.switching.RUnlock()
	return v.current
}

func (v *view) db() *sql.DB { return v.now().store.DB() }

// QueryContext and QueryRowContext read the build that is live now. A switch
// waits for queries that have begun, and they for the end of a switch.
func (v *view) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	v.switching.RLock()
	defer v.switching.RUnlock()
	if stmt := v.current.prepared(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return v.current.store.DB().QueryContext(ctx, query, args...)
}

func (v *view) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	v.switching.RLock()
	defer v.switching.RUnlock()
	if stmt := v.current.prepared(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return v.current.store.DB().QueryRowContext(ctx, query, args...)
}

// A fresh view prepares nothing: for a read model whose statements are made to
// measure, too many to be kept.
type fresh struct{ *view }

func (v fresh) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	v.switching.RLock()
	defer v.switching.RUnlock()
	return v.current.store.DB().QueryContext(ctx, query, args...)
}

func (v fresh) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	v.switching.RLock()
	defer v.switching.RUnlock()
	return v.current.store.DB().QueryRowContext(ctx, query, args...)
}

// prepared is the statement of a query, compiled once; nil when that fails, so
// that the query itself shows why. Queries are constants of the read models.
func (r *running) prepared(ctx context.Context, query string) *sql.Stmt {
	if stmt, ok := r.statements.Load(query); ok {
		return stmt.(*sql.Stmt)
	}
	stmt, err := r.store.DB().PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	if other, loaded := r.statements.LoadOrStore(query, stmt); loaded {
		stmt.Close()
		return other.(*sql.Stmt)
	}
	return stmt
}

func (v *view) close() error {
	if v.current == nil {
		return nil
	}
	for _, stmt := range v.current.statements.Range {
		stmt.(*sql.Stmt).Close()
	}
	return v.current.store.Close()
}

// rebuild loads the view in bulk. It does not run yet.
func (v *view) rebuild(ctx context.Context) error {
	if err := v.close(); err != nil {
		return err
	}
	err := bulk.Rebuild(ctx, bulk.Config{Projection: v.projection, Storage: v.hub.place, Source: v.hub.log,
		Generation: v.hub.log.Generation(), Logger: v.hub.Logger}, func(done, total uint64) {
		v.hub.Progress("rebuilding projection "+v.projection.Name, int64(done), int64(total))
	})
	if err != nil {
		return err
	}
	return v.open(ctx)
}

// catchUp brings the view to the end of the log, in bulk when it is new and
// the log is long, and reports progress.
func (v *view) catchUp(ctx, run context.Context) error {
	last, err := v.hub.log.LastSeq(ctx)
	if err != nil {
		return err
	}
	position, err := v.current.store.Position(ctx)
	if err != nil {
		return err
	}
	if bulk.NeedsRebuild(position, last) {
		if err := v.rebuild(ctx); err != nil {
			return fmt.Errorf("rebuild projection %s: %w", v.projection.Name, err)
		}
	}
	v.start(run)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	reached := make(chan error, 1)
	go func() {
		err := v.Wait(ctx, last)
		if errors.Is(err, projections.ErrParked) {
			err = nil // it is as far as it can come; projections ls shows what is parked
		}
		reached <- err
	}()
	for {
		select {
		case err := <-reached:
			return err
		case <-tick.C:
			v.hub.Progress("projection "+v.projection.Name, int64(v.Position()), int64(last))
		}
	}
}

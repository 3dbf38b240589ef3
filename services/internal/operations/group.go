package operations

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"hubledger/projections/sqlitestore"
)

// maxGroup bounds how many changes share a transaction.
const maxGroup = 256

// groupWriter is the one writer of an SQLite store. It commits what has
// arrived together, and waits for nobody.
type groupWriter struct {
	conn    *preparedConn
	mirrors []Mirror
	// stale: a mirror could not be loaded again after a rollback.
	stale bool
	ops   chan *groupOp
	quit  chan struct{}
	once  sync.Once
	done  sync.WaitGroup

	checkpts *sqlitestore.Checkpointer
}

type groupOp struct {
	fn   func(t *Tx) error
	err  error
	done chan struct{}
}

func (w *groupWriter) run(ctx context.Context, _ Lock, fn func(t *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	op := &groupOp{fn: fn, done: make(chan struct{})}
	select {
	case <-w.quit:
		return ErrClosed
	case w.ops <- op:
	}
	// The context is not asked again: fn may be running, and commits are short.
	select {
	case <-op.done:
		return op.err
	case <-w.quit:
	}
	w.done.Wait()
	select {
	case <-op.done:
		return op.err
	default:
		return ErrClosed // the writer never took it
	}
}

func (w *groupWriter) loop() {
	for {
		select {
		case <-w.quit:
			return
		case op := <-w.ops:
			w.commit(w.gather(op))
		}
	}
}

func (w *groupWriter) gather(first *groupOp) []*groupOp {
	group := []*groupOp{first}
	for len(group) < maxGroup {
		select {
		case op := <-w.ops:
			group = append(group, op)
		default:
			return group
		}
	}
	return group
}

func (w *groupWriter) commit(group []*groupOp) {
	err := w.transact(group)
	for _, op := range group {
		if err != nil {
			op.err = err
		}
		close(op.done)
	}
}

func (w *groupWriter) transact(group []*groupOp) (err error) {
	ctx := context.Background()
	if w.stale {
		if err := w.load(ctx); err != nil {
			return fmt.Errorf("operational store: %w", err)
		}
	}
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("operational store: %w", err)
	}
	t := &Tx{ctx: ctx, q: w.conn}
	for _, op := range group {
		op.err = op.fn(t)
		if t.failed != nil {
			break
		}
	}
	err = t.failed
	if err == nil {
		if _, err = w.conn.ExecContext(ctx, "COMMIT"); err == nil {
			w.checkpts.Wrote(t.wrote)
			return nil
		}
	}
	_, rollback := w.conn.ExecContext(ctx, "ROLLBACK")
	// What the changes did to the mirrors was not committed.
	reload := w.load(ctx)
	return fmt.Errorf("operational store: %w", errors.Join(err, rollback, reload))
}

func (w *groupWriter) load(ctx context.Context) error {
	var errs []error
	for _, m := range w.mirrors {
		errs = append(errs, m.Load(ctx, w.conn))
	}
	err := errors.Join(errs...)
	w.stale = err != nil
	return err
}

// define goes past the prepared statements: it is many at once.
func (w *groupWriter) define(ctx context.Context, schema string) error {
	return w.run(ctx, NoLock, func(t *Tx) error {
		_, err := w.conn.conn.ExecContext(t.ctx, schema)
		t.failed = errors.Join(t.failed, err)
		return err
	})
}

func (w *groupWriter) close() error {
	w.once.Do(func() { close(w.quit) })
	w.done.Wait()
	w.checkpts.Close()
	return w.conn.close()
}

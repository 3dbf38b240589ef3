package leases

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// maxGroup bounds how many changes share a transaction.
const maxGroup = 256

// groupWriter is the one writer of an SQLite store. It commits what has
// arrived together, and waits for nobody.
type groupWriter struct {
	conn *preparedConn
	mem  *mirror
	// stale: the mirror could not be read again after a rollback. Nothing is
	// changed until it was, since what it fences is not known.
	stale bool
	ops   chan *groupOp
	quit  chan struct{}
	once  sync.Once
	done  sync.WaitGroup
}

type groupOp struct {
	fn   func(t *tx) error
	err  error
	done chan struct{}
}

func (w *groupWriter) run(ctx context.Context, _ lock, fn func(t *tx) error) error {
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
		if err := w.mem.load(ctx, w.conn); err != nil {
			return fmt.Errorf("operational store: %w", err)
		}
		w.stale = false
	}
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("operational store: %w", err)
	}
	t := &tx{ctx: ctx, q: w.conn, fences: w.mem, mem: w.mem}
	for _, op := range group {
		op.err = op.fn(t)
		if t.failed != nil {
			break
		}
	}
	err = t.failed
	if err == nil {
		if _, err = w.conn.ExecContext(ctx, "COMMIT"); err == nil {
			return nil
		}
	}
	_, rollback := w.conn.ExecContext(ctx, "ROLLBACK")
	// What the changes did to the mirror was not committed.
	reload := w.mem.load(ctx, w.conn)
	w.stale = reload != nil
	return fmt.Errorf("operational store: %w", errors.Join(err, rollback, reload))
}

func (w *groupWriter) close() error {
	w.once.Do(func() { close(w.quit) })
	w.done.Wait()
	return w.conn.close()
}

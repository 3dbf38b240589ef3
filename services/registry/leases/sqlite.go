package leases

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// OpenSQLite opens the store in one file, which it makes if needed. Nothing
// else may write to that file. A commit survives the end of the process; the
// last ones may be lost when the power fails, which clients notice as a push
// that has to be repeated.
func OpenSQLite(ctx context.Context, path string) (*Store, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_pragma=wal_autocheckpoint(4000)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open operational store: %w", err)
	}
	s, err := openEmbedded(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open operational store %s: %w", path, err), db.Close())
	}
	return s, nil
}

func openEmbedded(ctx context.Context, db *sql.DB) (*Store, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	mem := newMirror()
	if err := mem.load(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w := &groupWriter{
		conn: &preparedConn{conn: conn, prepared: map[string]*sql.Stmt{}},
		mem:  mem,
		ops:  make(chan *groupOp, maxGroup),
		quit: make(chan struct{}),
	}
	w.done.Go(w.loop)
	s := &Store{db: db, mem: mem, change: w}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return s, nil
}

// maxGroup bounds how many changes share a transaction.
const maxGroup = 256

// groupWriter is the one writer of an SQLite store. It commits what has
// arrived together, and waits for nobody.
type groupWriter struct {
	conn *preparedConn
	mem  *mirror
	ops  chan *groupOp
	quit chan struct{}
	once sync.Once
	done sync.WaitGroup
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
	return fmt.Errorf("operational store: %w", errors.Join(err, rollback, reload))
}

func (w *groupWriter) close() error {
	w.once.Do(func() { close(w.quit) })
	w.done.Wait()
	return w.conn.close()
}

// preparedConn is a connection that prepares each statement once.
type preparedConn struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func (c *preparedConn) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := c.prepared[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := c.conn.PrepareContext(ctx, query)
	if err == nil {
		c.prepared[query] = stmt
	}
	return stmt, err
}

func (c *preparedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := c.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (c *preparedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := c.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (c *preparedConn) close() error {
	var errs []error
	for _, stmt := range c.prepared {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

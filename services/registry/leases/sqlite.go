package leases

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

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

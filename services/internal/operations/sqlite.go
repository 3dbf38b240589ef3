package operations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// openSQLite opens the store in one file. A commit survives the end of the
// process; the last ones may be lost when the power fails.
func (s *Store) openSQLite(ctx context.Context) error {
	db, err := OpenFile(s.config.File)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", s.config.File, err), db.Close())
	}
	w := &groupWriter{
		conn: &preparedConn{conn: conn, prepared: map[string]*sql.Stmt{}},
		ops:  make(chan *groupOp, maxGroup),
		quit: make(chan struct{}),
	}
	w.done.Go(w.loop)
	s.db, s.changer = db, w
	return nil
}

// OpenFile opens an SQLite file in the way of the operational store.
func OpenFile(path string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_pragma=wal_autocheckpoint(4000)")
}

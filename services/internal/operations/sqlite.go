package operations

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"hubledger/projections/sqlitestore"
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
		conn:     &preparedConn{conn: conn, prepared: map[string]*sql.Stmt{}},
		ops:      make(chan *groupOp, maxGroup),
		quit:     make(chan struct{}),
		checkpts: sqlitestore.NewCheckpointer(s.config.File, cmp.Or(s.config.Logger, slog.Default())),
	}
	w.done.Go(w.loop)
	s.db, s.changer = db, w
	return nil
}

// OpenFile opens an SQLite file in the way of the operational store.
func OpenFile(path string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_pragma="+sqlitestore.NoCheckpoints)
}

package projections

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
)

// A sqliteLoader fills a new file without a journal; the file gets its name
// when it is whole and on disk.
type sqliteLoader struct {
	m      *model
	conn   sqliteConn // nil after finish
	path   string
	target string
	args   []driver.NamedValue
}

func newSQLiteLoader(m *model, target string) (l *sqliteLoader, err error) {
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return nil, err
	}
	path := target + ".building"
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	conn, err := sqliteDSN(path, "mode=rwc", sqlitePageSize, "locking_mode(EXCLUSIVE)", "journal_mode(OFF)", "synchronous(OFF)",
		"temp_store(FILE)", "cache_size(-65536)").Connect(context.Background())
	if err != nil {
		return nil, err
	}
	l = &sqliteLoader{m: m, conn: conn.(sqliteConn), path: path, target: target}
	if err := execAll(l.conn, "BEGIN"); err != nil {
		l.abort()
		return nil, err
	}
	return l, nil
}

func (l *sqliteLoader) workers() int { return 1 }

func (l *sqliteLoader) table(ctx context.Context, table int, rows *rowStream) error {
	t := &l.m.tables[table]
	if err := execAll(l.conn, sqliteCreate(t)); err != nil {
		return err
	}
	stmt, err := l.conn.Prepare(sqliteInsert(t))
	if err != nil {
		return err
	}
	defer stmt.Close()
	for {
		b, err := rows.next(ctx)
		if b == nil || err != nil {
			if err == nil {
				err = execAll(l.conn, createIndexes(t)...)
			}
			return err
		}
		for i := range b.rows() {
			l.args = appendArgs(l.args[:0], b.row(i))
			if _, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), l.args); err != nil {
				return sqliteError(err)
			}
		}
	}
}

func (l *sqliteLoader) finish(ctx context.Context, h header, parked []Parked) error {
	if err := l.complete(h, parked); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	conn := l.conn
	l.conn = nil
	if err := conn.Close(); err != nil {
		return err
	}
	if err := syncPath(l.path); err != nil {
		return err
	}
	if err := retire(l.target); err != nil {
		return err
	}
	if err := os.Rename(l.path, l.target); err != nil {
		return err
	}
	return syncPath(filepath.Dir(l.target))
}

func (l *sqliteLoader) complete(h header, parked []Parked) error {
	if err := execAll(l.conn, append(sqliteSearches(l.m), sqliteStoreTables...)...); err != nil {
		return err
	}
	if err := sqliteHeader(l.conn, h); err != nil {
		return err
	}
	for _, p := range parked {
		l.args = appendArgs(l.args[:0], p.row())
		if _, err := l.conn.ExecContext(context.Background(), sqliteInsertParked, l.args); err != nil {
			return err
		}
	}
	return execAll(l.conn, "COMMIT")
}

func (l *sqliteLoader) abort() {
	if l.conn != nil {
		l.conn.Close()
		os.Remove(l.path)
		l.conn = nil
	}
}

// syncPath makes a file's content, or the names in a directory, durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

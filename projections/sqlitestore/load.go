package sqlitestore

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/internal/sqltext"
)

// A loader fills a new file without a journal; the file gets its name
// when it is whole and on disk.
type loader struct {
	m      *projections.Model
	conn   driverConn // nil after Finish or Abort
	path   string
	target string
	args   []driver.NamedValue
}

func newLoader(m *projections.Model, target string) (l *loader, err error) {
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return nil, err
	}
	path := target + ".building"
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	conn, err := dial(path, "mode=rwc", pageSize, "locking_mode(EXCLUSIVE)", "journal_mode(OFF)", "synchronous(OFF)",
		"temp_store(FILE)", "cache_size(-65536)")
	if err != nil {
		return nil, err
	}
	l = &loader{m: m, conn: conn, path: path, target: target}
	if err := execAll(l.conn, "BEGIN"); err != nil {
		l.Abort()
		return nil, err
	}
	return l, nil
}

func (l *loader) Workers() int { return 1 }

func (l *loader) Table(ctx context.Context, table int, rows bulk.Rows) error {
	t := l.m.Tables[table]
	if err := execAll(l.conn, createTable(t)); err != nil {
		return err
	}
	stmt, err := l.conn.Prepare(insertRow(t))
	if err != nil {
		return err
	}
	defer stmt.Close()
	for {
		cells, err := rows.Next(ctx)
		if err != nil {
			return err
		}
		if len(cells) == 0 {
			return execAll(l.conn, sqltext.CreateIndexes(t)...)
		}
		for row := range slices.Chunk(cells, len(t.Columns)) {
			l.args = appendArgs(l.args[:0], row)
			if _, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), l.args); err != nil {
				return classify(err)
			}
		}
	}
}

func (l *loader) Finish(ctx context.Context, generation string, position uint64, parked []projections.Parked) error {
	h := sqltext.NewHeader(l.m, generation)
	h.Position = position
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
	if err := prepareReplace(l.target); err != nil {
		return err
	}
	if err := os.Rename(l.path, l.target); err != nil {
		return err
	}
	return syncPath(filepath.Dir(l.target))
}

// complete makes what is not a table of the projection, and commits.
func (l *loader) complete(h sqltext.Header, parked []projections.Parked) error {
	if err := execAll(l.conn, append(createSearches(l.m), storeTables...)...); err != nil {
		return err
	}
	if err := writeHeader(l.conn, h); err != nil {
		return err
	}
	for _, p := range parked {
		l.args = appendArgs(l.args[:0], p.Row())
		if _, err := l.conn.ExecContext(context.Background(), insertParked, l.args); err != nil {
			return err
		}
	}
	return execAll(l.conn, "COMMIT")
}

func (l *loader) Abort() {
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

package projections

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A sqliteLoader fills a new file: SQLite makes empty tables, the rows are
// written as pages behind them, and SQLite makes the indexes. The file gets its
// name when it is whole and on disk.
type sqliteLoader struct {
	m      *model
	path   string
	target string
	roots  map[string]uint32 // root pages by table
	file   *os.File
	pages  *pageWriter
}

func newSQLiteLoader(m *model, target string) (_ *sqliteLoader, err error) {
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return nil, err
	}
	if err := settle(target); errors.Is(err, ErrInUse) {
		return nil, err
	}
	l := &sqliteLoader{m: m, path: target + ".building", target: target, roots: map[string]uint32{}}
	if err := os.Remove(l.path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.abort()
		}
	}()
	if err := l.withSQLite(l.create); err != nil {
		return nil, err
	}
	if l.file, err = os.OpenFile(l.path, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	l.pages, err = newPageWriter(l.file)
	return l, err
}

// withSQLite opens the file for SQLite, without a journal, and closes it again.
func (l *sqliteLoader) withSQLite(do func(conn sqliteConn) error) error {
	conn, err := sqliteDSN(l.path, "mode=rwc", sqlitePageSize, "locking_mode(EXCLUSIVE)", "journal_mode(OFF)", "synchronous(OFF)",
		"cache_size(-65536)").Connect(context.Background())
	if err != nil {
		return err
	}
	return errors.Join(do(conn.(sqliteConn)), conn.Close())
}

func (l *sqliteLoader) create(conn sqliteConn) error {
	if err := execAll(conn, sqliteStoreTables...); err != nil {
		return err
	}
	for i := range l.m.tables {
		t := &l.m.tables[i]
		if err := execAll(conn, sqliteCreate(t)); err != nil {
			return err
		}
		root, err := queryInt(conn, "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = $1", t.Name)
		if err != nil {
			return err
		}
		l.roots[t.Name] = uint32(root)
	}
	return nil
}

func (l *sqliteLoader) workers() int { return 1 }

func (l *sqliteLoader) table(ctx context.Context, table int, rows *rowStream) error {
	t := &l.m.tables[table]
	tree := newTreeBuilder(l.pages, l.roots[t.Name], t.rowID())
	for {
		b, err := rows.next(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			return tree.finish()
		}
		for i := range b.rows() {
			if err := tree.add(b.row(i)); err != nil {
				return err
			}
		}
	}
}

func (l *sqliteLoader) finish(ctx context.Context, h header, parked []Parked) error {
	if err := l.pages.finish(); err != nil {
		return err
	}
	err := l.withSQLite(func(conn sqliteConn) error {
		for i := range l.m.tables {
			if err := execAll(conn, createIndexes(&l.m.tables[i])...); err != nil {
				return err
			}
		}
		return l.complete(conn, h, parked)
	})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		err = retire(l.target)
	}
	if err == nil {
		err = os.Rename(l.path, l.target)
	}
	if err != nil {
		return err
	}
	l.file.Close()
	l.path = ""
	return syncPath(filepath.Dir(l.target))
}

func (l *sqliteLoader) complete(conn sqliteConn, h header, parked []Parked) error {
	if err := sqliteHeader(conn, h); err != nil {
		return err
	}
	for _, p := range parked {
		if _, err := conn.ExecContext(context.Background(), sqliteInsertParked, appendArgs(nil, p.row())); err != nil {
			return err
		}
	}
	return nil
}

func (l *sqliteLoader) abort() {
	if l.path == "" {
		return
	}
	if l.file != nil {
		l.file.Close()
	}
	os.Remove(l.path)
	l.path = ""
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

package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	sqliteReaders    = 8 // connections at most; idle ones are closed
	sqliteReaderIdle = 10 * time.Second
	sqliteReadCache  = 2 << 10 // KiB of page cache per reader, at most
	sqliteWriteCache = 4 << 10 // KiB for the writer
	sqlitePageSize   = "page_size(4096)"
)

type sqliteStore struct {
	m          *model
	path       string
	generation string
	db         *sql.DB
	writer     *sqliteWriter // nil when read-only
	closing    sync.Once
}

// OpenSQLite opens the file dir/<name>-v<version>.db, with .next or .prev
// before .db for the other builds, and makes it when it is not there. The
// directory is made, too. Only one process may have it open for writing.
func OpenSQLite(ctx context.Context, dir string, p *Projection, o Options) (Store, error) {
	m, err := compile(p)
	if err != nil {
		return nil, err
	}
	path := sqlitePath(dir, p, o.Build)
	s, err := openSQLite(ctx, path, m, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return s, nil
}

func sqlitePath(dir string, p *Projection, b Build) string {
	name := fmt.Sprintf("%s-v%d", p.Name, p.Version)
	if b != Live {
		name += "." + string(b)
	}
	return filepath.Join(dir, name+".db")
}

func openSQLite(ctx context.Context, path string, m *model, o Options) (_ *sqliteStore, err error) {
	s := &sqliteStore{m: m, path: path}
	if !o.ReadOnly {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if s.writer, err = newSQLiteWriter(m, path, o); err != nil {
			return nil, err
		}
	} else if _, err := os.Stat(path); err != nil {
		return nil, errors.Join(ErrNoBuild, err)
	}
	s.db = sql.OpenDB(sqliteDSN(path, "mode=ro", "busy_timeout(5000)", "query_only(1)", fmt.Sprintf("cache_size(-%d)", sqliteReadCache)))
	s.db.SetMaxOpenConns(sqliteReaders)
	s.db.SetMaxIdleConns(sqliteReaders)
	s.db.SetConnMaxIdleTime(sqliteReaderIdle)
	h, err := readHeader(ctx, s.db)
	if err == nil {
		err = m.admits(h, o.Generation)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.generation = h.generation
	return s, nil
}

func (s *sqliteStore) DB() *sql.DB        { return s.db }
func (s *sqliteStore) Dialect() Dialect   { return SQLite }
func (s *sqliteStore) Generation() string { return s.generation }
func (s *sqliteStore) model() *model      { return s.m }

func (s *sqliteStore) Position(ctx context.Context) (uint64, error) { return readPosition(ctx, s.db) }

func (s *sqliteStore) parked(ctx context.Context) ([]Parked, error) { return readParked(ctx, s.db) }

// Close lets the writer go last: it empties the write-ahead log into the file.
func (s *sqliteStore) Close() (err error) {
	s.closing.Do(func() {
		err = s.db.Close()
		if s.writer != nil {
			err = errors.Join(err, s.writer.close())
		}
	})
	return err
}

func (s *sqliteStore) lead(context.Context, func(uint64, int)) (writer, error) {
	if s.writer == nil {
		return nil, errors.New("the store was opened read-only")
	}
	return s.writer, s.writer.begin()
}

// snapshot holds one connection with an open transaction in it.
func (s *sqliteStore) snapshot(ctx context.Context) (*snapshot, error) {
	db := sql.OpenDB(sqliteDSN(s.path, "mode=ro", "busy_timeout(5000)", "query_only(1)"))
	db.SetMaxOpenConns(1)
	_, err := db.ExecContext(ctx, "BEGIN")
	var position uint64
	if err == nil {
		position, err = readPosition(ctx, db)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return &snapshot{db, position, db.Close}, nil
}

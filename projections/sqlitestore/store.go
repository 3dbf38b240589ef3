// Package sqlitestore keeps builds of projections in SQLite files, one for
// each build.
package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hubledger/projections"
	"hubledger/projections/internal/sqltext"
)

const (
	maxReaders = 8 // connections at most; idle ones are closed
	readerIdle = 10 * time.Second
	readCache  = 2 << 10  // KiB of page cache per reader, at most
	maxCache   = 16 << 10 // KiB, where there are searches
	writeCache = 4 << 10  // KiB for the writer
	pageSize   = "page_size(4096)"
)

type store struct {
	m          *projections.Model
	path       string
	generation string
	db         *sql.DB
	writer     *writer // nil when read-only
	closing    sync.Once
}

func (d storage) Open(ctx context.Context, p *projections.Projection, o projections.Options) (projections.Store, error) {
	m, err := projections.NewModel(p)
	if err != nil {
		return nil, err
	}
	path := pathOf(d.dir, p, o.Build)
	s, err := open(ctx, path, m, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return s, nil
}

func pathOf(dir string, p *projections.Projection, b projections.Build) string {
	return filepath.Join(dir, FileName(p, b))
}

// FileName is the name of the file of a build.
func FileName(p *projections.Projection, b projections.Build) string {
	name := fmt.Sprintf("%s-v%d", p.Name, p.Version)
	if b != projections.Live {
		name += "." + string(b)
	}
	return name + ".db"
}

func open(ctx context.Context, path string, m *projections.Model, o projections.Options) (_ *store, err error) {
	s := &store{m: m, path: path}
	if !o.ReadOnly {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if s.writer, err = newWriter(m, path, o); err != nil {
			return nil, err
		}
	} else if _, err := os.Stat(path); err != nil {
		return nil, errors.Join(projections.ErrNoBuild, err)
	}
	s.db = sql.OpenDB(connectTo(path, "mode=ro", "busy_timeout(5000)", "query_only(1)", fmt.Sprintf("cache_size(-%d)", readCacheOf(path, m))))
	s.db.SetMaxOpenConns(maxReaders)
	s.db.SetMaxIdleConns(maxReaders)
	s.db.SetConnMaxIdleTime(readerIdle)
	h, err := sqltext.ReadHeader(ctx, s.db)
	if err == nil {
		err = h.Check(m, o.Generation)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.generation = h.Generation
	return s, nil
}

// readCacheOf is how many KiB of page cache a reader has at most. A search reads rows all
// over its table, so that in a large file most pages are read again with a small cache: its
// readers have a 16th of the file. Its size counts when the store is opened.
func readCacheOf(path string, m *projections.Model) int {
	file, err := os.Stat(path)
	if err != nil || len(m.Searches) == 0 {
		return readCache
	}
	return int(min(max(file.Size()>>14, readCache), maxCache))
}

func (s *store) DB() *sql.DB                  { return s.db }
func (s *store) Dialect() projections.Dialect { return projections.SQLite }
func (s *store) Generation() string           { return s.generation }
func (s *store) Model() *projections.Model    { return s.m }

func (s *store) Position(ctx context.Context) (uint64, error) { return sqltext.ReadPosition(ctx, s.db) }

func (s *store) Parked(ctx context.Context) ([]projections.Parked, error) {
	return sqltext.ReadParked(ctx, s.db)
}

// Close closes the writer last, which then moves the write-ahead log into the file.
func (s *store) Close() (err error) {
	s.closing.Do(func() {
		err = s.db.Close()
		if s.writer != nil {
			err = errors.Join(err, s.writer.close())
		}
	})
	return err
}

// Lead returns at once: whoever has the file open for writing is the writer.
func (s *store) Lead(context.Context, func(uint64, int)) (projections.Writer, error) {
	if s.writer == nil {
		return nil, errors.New("the store was opened read-only")
	}
	return s.writer, s.writer.begin()
}

// Snapshot holds one connection with an open transaction in it.
func (s *store) Snapshot(ctx context.Context) (*projections.Snapshot, error) {
	db := sql.OpenDB(connectTo(s.path, "mode=ro", "busy_timeout(5000)", "query_only(1)"))
	db.SetMaxOpenConns(1)
	_, err := db.ExecContext(ctx, "BEGIN")
	var position uint64
	if err == nil {
		position, err = sqltext.ReadPosition(ctx, db)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return &projections.Snapshot{DB: db, Position: position, Close: db.Close}, nil
}

// Package operations is the operational store: SQL beside the projections for
// what is neither an event nor derived from any, and is never rebuilt. Others
// keep their tables in it: leases and marks of blobs, pull counts, the
// activity of credentials, the attempts of process managers. Losing it loses
// only those.
//
// The store is an SQLite file that one process writes, or a PostgreSQL schema
// that several nodes share. Both run the same statements. On SQLite, changes
// that arrive together are committed together.
package operations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// FileName is the SQLite store's file in the data directory.
const FileName = "operations.db"

// ErrClosed: the store was closed.
var ErrClosed = errors.New("the operational store is closed")

// Config says where the store is.
type Config struct {
	// File is the SQLite store's path; it is made if needed. Nothing else may
	// write to it.
	File string
	// PostgresURL, when not empty, is that of a database that several nodes
	// may share. Then File is only where an older version may have left data.
	PostgresURL string
	// Logger is told what fails in the background; the default is slog's.
	Logger *slog.Logger
	// Around, when not nil, is called for every change and calls commit to
	// make it. Tests let changes fail before or after they are committed.
	Around func(ctx context.Context, commit func() error) error
}

// A Store is the open operational store. Its methods may be called concurrently.
type Store struct {
	config  Config
	db      *sql.DB
	changer changer
	node    string
	created time.Time
	closing sync.Once
	closed  error
}

// Open opens the store, which it makes if needed.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{config: c}
	open := s.openSQLite
	if c.PostgresURL != "" {
		open = s.openPostgres
	}
	if err := open(ctx); err != nil {
		return nil, fmt.Errorf("open the operational store: %w", err)
	}
	err := s.Define(ctx, meta+seen)
	if err == nil {
		err = s.identify(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the operational store: %w", err), s.Close())
	}
	return s, nil
}

// The table that tells stores apart, in words that SQLite and PostgreSQL share.
const meta = `
CREATE TABLE IF NOT EXISTS meta (
	id      BIGINT NOT NULL PRIMARY KEY, -- 1
	node    TEXT   NOT NULL,
	created BIGINT NOT NULL
);
`

// Node is this store's id: random, made with the store, and kept with it.
// Nodes that share a database share it.
func (s *Store) Node() string { return s.node }

// Created is when this store was made.
func (s *Store) Created() time.Time { return s.created }

// Alone reports that no other node writes to this store, so that what it holds
// may be mirrored in memory; see Mirror.
func (s *Store) Alone() bool { _, alone := s.changer.(*groupWriter); return alone }

// File is the path of the SQLite file; on PostgreSQL there is none at it.
func (s *Store) File() string { return s.config.File }

// Change runs fn as one transaction, alone or together with others. fn decides
// first and writes then: when it returns an error without having written, the
// others' changes are kept. On PostgreSQL it runs again after a deadlock. lock
// is taken first where several nodes write.
func (s *Store) Change(ctx context.Context, lock Lock, fn func(t *Tx) error) error {
	commit := func() error { return s.changer.run(ctx, lock, fn) }
	if s.config.Around != nil {
		return s.config.Around(ctx, commit)
	}
	return commit()
}

// Query calls scan for each row of what is committed.
func (s *Store) Query(ctx context.Context, scan func(rows *sql.Rows) error, query string, args ...any) error {
	return EachRow(ctx, s.db, scan, query, args...)
}

// Define makes tables where they are missing.
func (s *Store) Define(ctx context.Context, schema string) error {
	return s.changer.define(ctx, schema)
}

// Close ends the store. What is called afterwards fails.
func (s *Store) Close() error {
	s.closing.Do(func() { s.closed = errors.Join(s.changer.close(), s.db.Close()) })
	return s.closed
}

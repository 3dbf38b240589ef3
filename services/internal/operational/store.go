// Package operational keeps what is neither an event nor derived from any:
// when credentials were last used, and answers kept for repeated requests. It
// lies in SQL beside the projections and is never rebuilt; losing it loses
// only that.
package operational

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A Store may be used by several goroutines and, on PostgreSQL, by several nodes.
type Store struct {
	db   *sql.DB
	node string

	mu      sync.Mutex
	touched map[string]time.Time // not written yet
	flushes sync.Mutex           // one at a time, so that Close waits for the last
}

// The tables, in words that SQLite and PostgreSQL share. Times are
// microseconds since 1970 UTC.
const schema = `
CREATE TABLE IF NOT EXISTS meta (
	id   BIGINT NOT NULL PRIMARY KEY, -- 1
	node TEXT   NOT NULL
);
CREATE TABLE IF NOT EXISTS used (
	credential TEXT   NOT NULL PRIMARY KEY,
	latest     BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
	id      BYTEA  NOT NULL PRIMARY KEY, -- hash of principal and Idempotency-Key
	owner   BYTEA  NOT NULL,             -- hash of principal
	request BYTEA  NOT NULL,             -- hash of what was asked
	claim   TEXT   NOT NULL,             -- who works on it; '' when it is answered
	until   BIGINT NOT NULL,
	answer  BYTEA  NOT NULL              -- sealed; empty while it is worked on
);
CREATE INDEX IF NOT EXISTS answers_until ON answers (until);
CREATE INDEX IF NOT EXISTS answers_owner ON answers (owner, claim, until);
`

// Node is this store's id: random, made with the store, and kept with it.
// Nodes that share a database share it.
func (s *Store) Node() string { return s.node }

func open(ctx context.Context, db *sql.DB, prepare func(context.Context, *sql.DB) error) (*Store, error) {
	s := &Store{db: db, touched: map[string]time.Time{}}
	err := prepare(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, `INSERT INTO meta (id, node) VALUES (1, $1) ON CONFLICT (id) DO NOTHING`, uuid.NewString())
	}
	if err == nil {
		err = db.QueryRowContext(ctx, `SELECT node FROM meta WHERE id = 1`).Scan(&s.node)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the activity store: %w", err), db.Close())
	}
	return s, nil
}

const (
	flushEvery = time.Second
	purgeEvery = 10 * time.Minute
)

// Run writes what was touched each second, and takes away old answers, until
// ctx ends. report gets the errors; what could not be written is tried again.
func (s *Store) Run(ctx context.Context, report func(error)) {
	flush, purge := time.NewTicker(flushEvery), time.NewTicker(purgeEvery)
	defer flush.Stop()
	defer purge.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-flush.C:
			err = s.Flush(ctx)
		case <-purge.C:
			err = s.Purge(ctx, time.Now())
		}
		if err != nil && ctx.Err() == nil {
			report(err)
		}
	}
}

// Close writes what was touched and closes the database.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(s.Flush(ctx), s.db.Close())
}

func micros(t time.Time) int64 { return t.UnixMicro() }

// Package activity keeps, in the operational store, what requests leave behind
// that is neither an event nor derived from any: when credentials were last
// used, and answers kept for requests that are sent again.
package activity

import (
	"context"
	"fmt"
	"sync"
	"time"

	"hubledger/services/internal/operations"
)

// A Store may be used by several goroutines and, on PostgreSQL, by several nodes.
type Store struct {
	ops *operations.Store

	mu      sync.Mutex
	touched map[string]time.Time // not written yet
	flushes sync.Mutex           // one at a time, so that Close waits for the last
}

// The tables, in words that SQLite and PostgreSQL share. Times are
// microseconds since 1970 UTC.
const schema = `
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

// Open keeps activity in the operational store. Close it before that. What an
// older version kept in a store of its own is taken over.
func Open(ctx context.Context, ops *operations.Store) (*Store, error) {
	err := ops.Define(ctx, schema)
	if err == nil {
		err = takeOver(ctx, ops, time.Now())
	}
	if err != nil {
		return nil, fmt.Errorf("open the activity of accounts: %w", err)
	}
	return &Store{ops: ops, touched: map[string]time.Time{}}, nil
}

// Node is the operational store's id: that of this node, or of the nodes that
// share the store.
func (s *Store) Node() string { return s.ops.Node() }

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

// Close writes what was touched.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Flush(ctx)
}

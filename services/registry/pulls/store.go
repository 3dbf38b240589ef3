package pulls

import (
	"context"
	"fmt"

	"hubledger/services/internal/operations"
)

// A Store keeps pull counts. Its methods may be called concurrently.
type Store struct{ ops *operations.Store }

// Open keeps pull counts in the operational store.
func Open(ctx context.Context, ops *operations.Store) (*Store, error) {
	if err := ops.Define(ctx, schema); err != nil {
		return nil, fmt.Errorf("open the pull counts: %w", err)
	}
	return &Store{ops}, nil
}

// Node is the id of the node, or of the nodes that share the store, whose
// pulls are counted here.
func (s *Store) Node() string { return s.ops.Node() }

// The tables, in words that SQLite and PostgreSQL share. Times are
// microseconds since 1970 UTC.
const schema = `
CREATE TABLE IF NOT EXISTS pulls (
	hour       BIGINT NOT NULL,
	repository TEXT   NOT NULL,
	tag        TEXT   NOT NULL, -- '' for pulls by digest
	n          BIGINT NOT NULL,
	latest     BIGINT NOT NULL,
	PRIMARY KEY (hour, repository, tag)
);
CREATE TABLE IF NOT EXISTS pull_hours (
	hour  BIGINT NOT NULL PRIMARY KEY, -- no longer counted into
	event TEXT   NOT NULL
);
`

// What a transaction locks on a shared database before it decides.
const (
	countsHour = operations.Lock("LOCK TABLE pull_hours IN ROW SHARE MODE") // with others that do
	closesHour = operations.Lock("LOCK TABLE pull_hours IN EXCLUSIVE MODE") // alone
)

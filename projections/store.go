package projections

import (
	"context"
	"database/sql"
)

// A Store is one build of one projection version in one database. It is
// opened by a Storage.
//
// Readers need the methods up to Close; the others are for Runner, Compare and
// Dump.
type Store interface {
	// DB is for reads. The same SQL, with $1, $2 … for arguments, works on
	// both kinds of store; a write is refused.
	DB() *sql.DB
	// Position is the sequence of the last event that was committed.
	Position(ctx context.Context) (uint64, error)
	// Dialect is the store's SQL.
	Dialect() Dialect
	// Generation names the log that the store was built from.
	Generation() string
	// Close ends the connections; a Runner on the store must have stopped.
	Close() error

	// Model is the projection that the store was opened for.
	Model() *Model
	// Lead returns when this process is the writer. Until then it calls moved
	// with what another process has committed.
	Lead(ctx context.Context, moved func(position uint64, parked int)) (Writer, error)
	// Parked lists the events that were skipped, by sequence.
	Parked(ctx context.Context) ([]Parked, error)
	// Snapshot is the state that the store has now.
	Snapshot(ctx context.Context) (*Snapshot, error)
}

// A Snapshot is one state of a store, which does not change any more.
type Snapshot struct {
	DB       *sql.DB
	Position uint64
	Close    func() error
}

// A Writer is the only one that changes a store.
type Writer interface {
	// Position is where the store stood when this process became the writer.
	Position() uint64
	// Commit does all of tx or nothing. It returns a DataError when another
	// try would fail, too. The rows of tx are not kept.
	Commit(ctx context.Context, tx *Transaction) error
	// Release ends the writing, so that another process may write.
	Release()
}

// A Transaction moves a store from one position to a later one.
type Transaction struct {
	From, To uint64
	Changes  []Change // ordered by table and key, one for each key
	Parked   []Parked
}

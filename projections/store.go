package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
)

// A Store is one build of one projection version in one database. It is made
// by OpenSQLite or OpenPostgres.
type Store interface {
	// DB is for reads. The same SQL, with $1, $2 … for arguments, works on
	// both stores; a write is refused.
	DB() *sql.DB
	// Position is the sequence of the last event that was committed.
	Position(ctx context.Context) (uint64, error)
	// Dialect is the store's SQL.
	Dialect() Dialect
	// Generation names the log that the store was built from.
	Generation() string
	// Close ends the connections; a Runner on the store must have stopped.
	Close() error

	model() *model
	// lead returns when this process is the writer. Until then it calls moved
	// with what another process has committed.
	lead(ctx context.Context, moved func(position uint64, parked int)) (writer, error)
	parked(ctx context.Context) ([]Parked, error)
	snapshot(ctx context.Context) (*snapshot, error)
}

// A snapshot is one state of a store, which does not change any more.
type snapshot struct {
	db       *sql.DB
	position uint64
	close    func() error
}

// A writer is the only one that changes a store.
type writer interface {
	// position is where the store stood when this process became the writer.
	position() uint64
	// commit does all of tx or nothing. It returns a dataError when another
	// try would fail, too. The rows of tx are not kept.
	commit(ctx context.Context, tx *transaction) error
	release()
}

// A transaction moves a store from one position to a later one.
type transaction struct {
	from, to uint64
	changes  []change
	parked   []Parked
}

// Build says which of the builds of one projection version a store is. They
// lie side by side; Switch makes the next one live.
type Build string

const (
	Live Build = ""     // the one that answers
	Next Build = "next" // being prepared
	Prev Build = "prev" // was live before the last switch
)

// Options of a store.
type Options struct {
	Build Build
	// Generation of the log, such as a UUID. A new store notes it; one that
	// was built from another log is refused with ErrGeneration. Empty: any.
	Generation string
	// ReadOnly opens a store that another process may be writing. It must exist.
	ReadOnly bool
	Logger   *slog.Logger // nil: slog.Default()
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.Default()
	}
	return o.Logger
}

var (
	// ErrGeneration: the store was built from another log.
	ErrGeneration = errors.New("the store was built from another generation of the log")
	// ErrShape: the tables were changed without a new version.
	ErrShape = errors.New("the projection's tables were changed without a new version")
	// ErrNoBuild: there is no such build.
	ErrNoBuild = errors.New("there is no such build of the projection")
	// ErrInUse: a store must be closed for this and is not.
	ErrInUse = errors.New("the store is in use")
)

// header is what a store says of itself: the row of its table _store.
type header struct {
	projection string
	version    int
	shape      string
	generation string
	position   uint64
}

func (m *model) header(generation string) header {
	return header{m.Name, m.Version, m.shape, generation, 0}
}

// admits says whether a store with this header is one of m and the log.
func (m *model) admits(h header, generation string) error {
	if h.projection != m.Name || h.version != m.Version {
		return fmt.Errorf("projection %s version %d: the store holds %s version %d", m.Name, m.Version, h.projection, h.version)
	}
	if h.shape != m.shape {
		return fmt.Errorf("projection %s version %d: %w", m.Name, m.Version, ErrShape)
	}
	if generation != "" && h.generation != generation {
		return fmt.Errorf("projection %s: %w: the store's is %q, the log's is %q", m.Name, ErrGeneration, h.generation, generation)
	}
	return nil
}

const headerQuery = "SELECT projection, version, shape, generation, position FROM _store"

type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readHeader(ctx context.Context, db rowQuerier) (h header, err error) {
	var position int64
	err = db.QueryRowContext(ctx, headerQuery).Scan(&h.projection, &h.version, &h.shape, &h.generation, &position)
	h.position = uint64(position)
	return h, err
}

func readPosition(ctx context.Context, db rowQuerier) (uint64, error) {
	var position int64
	err := db.QueryRowContext(ctx, "SELECT position FROM _store").Scan(&position)
	return uint64(position), err
}

func readParked(ctx context.Context, db *sql.DB) ([]Parked, error) {
	rows, err := db.QueryContext(ctx, "SELECT seq, subject, type, reason FROM _parked ORDER BY seq")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Parked
	for rows.Next() {
		var p Parked
		var seq int64
		var subject []byte
		if err := rows.Scan(&seq, &subject, &p.Type, &p.Reason); err != nil {
			return nil, err
		}
		p.Seq, p.Subject = uint64(seq), string(subject)
		list = append(list, p)
	}
	return list, rows.Err()
}

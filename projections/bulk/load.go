// Package bulk makes a whole store of a read model from the log: it applies
// all events, sorts what they do, and loads the tables row by row in the order
// of their keys.
package bulk

import (
	"context"

	"hubledger/projections"
)

// A Loadable is a projections.Storage that can be loaded in bulk.
type Loadable interface {
	// Load begins to load the build b of a projection. The build exists when
	// the Loader has finished, and not before; it replaces one of that name.
	Load(ctx context.Context, m *projections.Model, b projections.Build) (Loader, error)
	// Scratch is the directory for sorted runs, which can be as large as the tables.
	Scratch() string
}

// A Loader fills an empty store.
type Loader interface {
	// Workers is how many tables may be loaded at the same time.
	Workers() int
	// Table puts in all rows of the table with that number in the projection.
	Table(ctx context.Context, table int, rows Rows) error
	// Finish notes the log's generation, the position and the parked events,
	// makes everything durable and gives the build its name.
	Finish(ctx context.Context, generation string, position uint64, parked []projections.Parked) error
	// Abort removes what was loaded. After Finish it does nothing.
	Abort()
}

// Rows are the rows of one table, ordered by key, each key once.
type Rows interface {
	// Next returns the cells of the next rows, one row after the other; none
	// when there are no more. They are valid until the next call.
	Next(ctx context.Context) (cells []projections.Value, err error)
}

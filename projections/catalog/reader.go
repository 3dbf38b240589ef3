package catalog

import (
	"context"
	"database/sql"
	"errors"

	"hubledger/projections"
)

// ErrNotFound says that the read model has no live row with that name or id.
var ErrNotFound = errors.New("not found")

// DB is what a Reader queries: an *sql.DB, or what forwards to that of the live build.
type DB interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Reader queries the read model.
type Reader struct {
	DB      DB
	Dialect projections.Dialect // of the store: its Dialect()
}

package builds

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hubledger/projections"
)

// ErrNotFound says that the read model has no live row with that name or id.
var ErrNotFound = errors.New("not found")

// DB is what a Reader queries: an *sql.DB, or what forwards to that of the live build.
type DB interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Reader queries the read model. Ids are UUIDs as text; an id that is no UUID is
// not found.
type Reader struct{ DB DB }

func key(id string) ([]byte, error) {
	raw, err := projections.IDBytes(id)
	if err != nil {
		return nil, fmt.Errorf("id %q: %w", id, ErrNotFound)
	}
	return raw, nil
}

// stored is a name that somebody asks for as it would be in a table.
func stored(name string) string { return projections.TextValue(name).Text() }

type scanner interface{ Scan(to ...any) error }

func timeOf(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

func one[T any](v *T, err error) (*T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// listOf reads every row of a query.
func listOf[T any](ctx context.Context, db DB, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

package projections

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// A DB is what the readers of read models query: an *sql.DB, or what forwards to that
// of the live build.
type DB interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A Row is one row of a result: *sql.Row or *sql.Rows.
type Row interface{ Scan(to ...any) error }

// ListOf reads every row of a query.
func ListOf[T any](ctx context.Context, db DB, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
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

// Stored is a name that somebody asks for as it would be in a table: JSON can have
// U+0000 in it, which PostgreSQL refuses. There is nothing of such a name.
func Stored(name string) string { return TextValue(name).Text() }

// Marks is "$from,…" for n arguments of a query.
func Marks(from, n int) string {
	var b strings.Builder
	for k := range n {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", from+k)
	}
	return b.String()
}

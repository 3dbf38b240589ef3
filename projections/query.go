package projections

import (
	"context"
	"database/sql"
	"fmt"
)

// A Query is a named query of a read model. It yields every result as a key
// and a text, in any order, so that two builds can be compared.
type Query struct {
	Name string
	Run  func(ctx context.Context, db *sql.DB, yield func(key, result string) error) error
}

// SQLQuery is a Query by a statement: the first columns of a row, as many as
// keyColumns, are its key, and the others are its result.
func SQLQuery(name, statement string, keyColumns int) Query {
	return Query{Name: name, Run: func(ctx context.Context, db *sql.DB, yield func(key, result string) error) error {
		rows, err := db.QueryContext(ctx, statement)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		cells := make([]any, len(columns))
		to := make([]any, len(columns))
		for k := range cells {
			to[k] = &cells[k]
		}
		for rows.Next() {
			if err := rows.Scan(to...); err != nil {
				return err
			}
			if err := yield(showCells(cells[:keyColumns]), showCells(cells[keyColumns:])); err != nil {
				return err
			}
		}
		return rows.Err()
	}}
}

// showCells writes cells as text, bytes in hexadecimal.
func showCells(cells []any) string {
	s := ""
	for k, c := range cells {
		if k > 0 {
			s += " "
		}
		if raw, ok := c.([]byte); ok {
			s += fmt.Sprintf("%x", raw)
		} else {
			s += fmt.Sprint(c)
		}
	}
	return s
}

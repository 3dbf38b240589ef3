package projections

import (
	"context"
	"database/sql"
	"fmt"
)

// Ask is a query for compare: a statement whose first columns are the key and
// the rest the answer.
func Ask(name, statement string, key int) Query {
	return Query{Name: name, Run: func(ctx context.Context, db *sql.DB, yield func(key, answer string) error) error {
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
			if err := yield(showCells(cells[:key]), showCells(cells[key:])); err != nil {
				return err
			}
		}
		return rows.Err()
	}}
}

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

package catalog

import (
	"context"
	"database/sql"
	"fmt"

	"hubledger/projections"
)

// queries are the answers that a new build of the read model must share with
// the one it replaces.
var queries = []projections.Query{
	{Name: "entries", Run: answers(`SELECT repo, namespace, name, rank, words, 1 FROM public_entries
		UNION ALL SELECT repo, namespace, name, rank, words, 0 FROM private_entries`, 1)},
	{Name: "descriptions", Run: answers(`SELECT repo, description, topics FROM descriptions`, 1)},
	{Name: "readmes", Run: answers(`SELECT repo, readme FROM readmes`, 1)},
	{Name: "stars", Run: answers(`SELECT repo, user_id, given, seq FROM stars`, 2)},
	{Name: "pulls", Run: answers(`SELECT p.repo, p.tag, p.pulls, l.time FROM tag_pulls p
		JOIN tag_pulled l ON l.repo = p.repo AND l.tag = p.tag`, 2)},
	{Name: "pushes", Run: answers(`SELECT repo, updated, pushed FROM pushes`, 1)},
	{Name: "activity", Run: answers(`SELECT repo, seq, time, actor, kind, what FROM activity`, 2)},
}

// answers runs a statement whose first columns are the key and the rest the answer.
func answers(statement string, key int) func(context.Context, *sql.DB, func(key, answer string) error) error {
	return func(ctx context.Context, db *sql.DB, yield func(key, answer string) error) error {
		rows, err := db.QueryContext(ctx, statement)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		cells, to := make([]any, len(columns)), make([]any, len(columns))
		for k := range cells {
			to[k] = &cells[k]
		}
		for rows.Next() {
			if err := rows.Scan(to...); err != nil {
				return err
			}
			if err := yield(show(cells[:key]), show(cells[key:])); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

func show(cells []any) string {
	s := ""
	for _, c := range cells {
		if b, ok := c.([]byte); ok {
			c = fmt.Sprintf("%x", b)
		}
		s += fmt.Sprintf("%v ", c)
	}
	return s
}

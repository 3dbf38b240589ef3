package accounts

import (
	"context"
	"database/sql"
	"fmt"

	"hubledger/projections"
)

// queries are the answers that a new build of the read model must share with
// the one it replaces.
var queries = []projections.Query{
	{Name: "namespaces", Run: ask(`SELECT n.name, n.namespace, n.kind, COALESCE(q.bytes, 0), COALESCE(q.images, 0)
		FROM namespaces n LEFT JOIN quotas q ON q.namespace = n.namespace`, 1)},
	{Name: "users", Run: ask(accountColumns+`WHERE n.kind = 'user'`, 1)},
	{Name: "robots", Run: ask(robotColumns+`WHERE r.deleted = 0`, 1)},
	{Name: "teams", Run: ask(`SELECT t.team, t.organization, t.name, t.description FROM teams t WHERE t.deleted = 0`, 1)},
	{Name: "memberships", Run: ask(`SELECT m.team, m.account, m.role FROM memberships m WHERE m.role <> ''`, 2)},
	{Name: "grants", Run: ask(`SELECT g.grantee, g.namespace, g.repo, g.role FROM grants g WHERE g.role <> ''`, 3)},
	{Name: "tokens", Run: ask(tokenColumns, 1)},
	{Name: "repositories", Run: ask(`SELECT n.name, n.repo, v.visibility
		FROM names n JOIN visibilities v ON v.repo = n.repo WHERE n.deleted = 0`, 1)},
}

// ask runs a statement whose first columns are the key and the rest the answer.
func ask(statement string, key int) func(context.Context, *sql.DB, func(key, answer string) error) error {
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
		cells := make([]any, len(columns))
		to := make([]any, len(columns))
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

package registry

import (
	"context"
	"database/sql"
	"fmt"

	"hubledger/projections"
)

// queries are the answers that a new build of the read model must share with
// the one it replaces.
var queries = []projections.Query{
	{Name: "repositories", Run: ask(`SELECT name, repo, deleted FROM names`, 1)},
	{Name: "tags", Run: ask(`SELECT t.repo, t.tag, t.digest FROM tags t WHERE t.deleted = 0 AND NOT `+gone, 2)},
	{Name: "manifests", Run: ask(`SELECT m.repo, m.digest, m.media_type, m.bytes
		FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE NOT `+dead, 2)},
	{Name: "referrers", Run: ask(`SELECT f.repo, f.subject, f.digest, f.media_type, f.artifact_type, f.annotations
		FROM referrers f JOIN manifests m ON m.repo = f.repo AND m.digest = f.digest
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE NOT `+dead, 3)},
	{Name: "blobs", Run: ask(`SELECT h.blob, h.repo, h.manifest FROM holds h`, 3)},
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

package catalog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hubledger/projections"
)

// TagPulls counts pulls, as far as they are in the log: up to the last full hour
// of each node.
type TagPulls struct {
	Pulls      int64
	LastPulled time.Time // UTC; zero when it never was
}

// TagPulls counts the pulls of each tag of a repository that was ever pulled.
func (r Reader) TagPulls(ctx context.Context, repo string) (map[string]TagPulls, error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT p.tag, p.pulls, l.time FROM tag_pulls p
		JOIN tag_pulled l ON l.repo = p.repo AND l.tag = p.tag WHERE p.repo = $1`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]TagPulls{}
	for rows.Next() {
		var tag string
		var p TagPulls
		var last int64
		if err := rows.Scan(&tag, &p.Pulls, &last); err != nil {
			return nil, err
		}
		p.LastPulled = timeOf(last)
		all[tag] = p
	}
	return all, rows.Err()
}

// Readme is a repository's README in Markdown, as its author wrote it; "" for none.
func (r Reader) Readme(ctx context.Context, repo string) (text string, err error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return "", err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT readme FROM readmes WHERE repo = $1`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return text, err
}

package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hubledger/projections"
)

// TagPulls counts pulls, as far as they are in the log: up to the last full hour
// of each node.
type TagPulls struct {
	Pulls      int64
	LastPulled time.Time // UTC; zero when it never was
}

// RepoPulls counts all pulls of a repository, by tag and by digest.
func (r Reader) RepoPulls(ctx context.Context, repo string) (TagPulls, error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return TagPulls{}, err
	}
	var p TagPulls
	var last int64
	err = r.DB.QueryRowContext(ctx, `SELECT p.pulls, l.time FROM pulls p JOIN pulled l ON l.repo = p.repo WHERE p.repo = $1`, id).Scan(&p.Pulls, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	p.LastPulled = timeOf(last)
	return p, err
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

// NamespaceName is the name of the namespace with that id; ErrNotFound if there
// is none.
func (r Reader) NamespaceName(ctx context.Context, namespace string) (name string, err error) {
	id, err := projections.IDBytes(namespace)
	if err != nil {
		return "", err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT name FROM namespaces WHERE namespace = $1`, id).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("namespace %s: %w", namespace, ErrNotFound)
	}
	return name, err
}

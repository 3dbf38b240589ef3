package catalog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// TagPulls counts pulls, as far as they are in the log: up to the last full hour
// of each node.
type TagPulls struct {
	Pulls      int64
	LastPulled time.Time // UTC; zero when it never was
}

// TagPulls counts the pulls of each tag of a repository that was ever pulled, or
// with only, unless it is nil, of those among these.
func (r Reader) TagPulls(ctx context.Context, repo string, only []string) (map[string]TagPulls, error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	s := &stmt{dialect: r.Dialect}
	s.add(`SELECT p.tag, p.pulls, l.time FROM tag_pulls p
		JOIN tag_pulled l ON l.repo = p.repo AND l.tag = p.tag WHERE p.repo = %s`, s.arg(id))
	if only != nil {
		s.add(` AND %s`, s.inTexts("p.tag", only))
	}
	rows, err := r.DB.QueryContext(ctx, s.String(), s.args...)
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

// Pulls is what was pulled from a repository.
type Pulls struct {
	Tags      map[string]TagPulls         // fetches by digest are under ""
	Manifests map[digest.Digest]time.Time // when each was last used
}

// Add adds what was counted elsewhere.
func (p Pulls) Add(q Pulls) {
	for tag, n := range q.Tags {
		p.Tags[tag] = p.Tags[tag].Plus(n)
	}
	for d, at := range q.Manifests {
		if at.After(p.Manifests[d]) {
			p.Manifests[d] = at
		}
	}
}

// Plus adds counts, and keeps the later of both times.
func (p TagPulls) Plus(q TagPulls) TagPulls {
	p.Pulls += q.Pulls
	if q.LastPulled.After(p.LastPulled) {
		p.LastPulled = q.LastPulled
	}
	return p
}

// ManifestsPulled says when manifests of a repository were used last, as far as
// they ever were: of those in only, or of all when it is nil.
func (r Reader) ManifestsPulled(ctx context.Context, repo string, only []digest.Digest) (map[digest.Digest]time.Time, error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	s := &stmt{dialect: r.Dialect}
	s.add(`SELECT digest, time FROM manifest_pulled WHERE repo = %s`, s.arg(id))
	if only != nil {
		texts := make([]string, len(only))
		for k, d := range only {
			texts[k] = d.String()
		}
		s.add(` AND %s`, s.inTexts("digest", texts))
	}
	rows, err := r.DB.QueryContext(ctx, s.String(), s.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[digest.Digest]time.Time{}
	for rows.Next() {
		var d string
		var last int64
		if err := rows.Scan(&d, &last); err != nil {
			return nil, err
		}
		all[digest.Digest(d)] = timeOf(last)
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

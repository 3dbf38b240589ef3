package builds

import (
	"context"
	"time"

	"hubledger/projections"
)

// A Secret is one that builds of a repository may read. Its value is elsewhere.
type Secret struct {
	Name    string
	Record  string // that has the value
	ForFile bool   // rules in .hubledger.yml of a commit may name it, too
	Changed time.Time
	Actor   string // who set it
}

// Secrets are those of a repository, by its id, in the order of their names.
func (r Reader) Secrets(ctx context.Context, repository string) ([]Secret, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (s Secret, err error) {
		var changed int64
		err = row.Scan(&s.Name, &s.Record, &s.ForFile, &changed, &s.Actor)
		s.Changed = timeOf(changed)
		return s, err
	}, `SELECT t.name, t.record, t.for_file, t.time, t.actor FROM secrets t WHERE t.repository = $1 AND t.record <> '' ORDER BY t.name`, raw)
}

// DeletedAt is when a repository, by its id, was deleted; the zero time when it lives.
func (r Reader) DeletedAt(ctx context.Context, id string) (at time.Time, err error) {
	raw, err := key(id)
	if err != nil {
		return at, err
	}
	var micro int64
	err = r.DB.QueryRowContext(ctx, `SELECT COALESCE((SELECT g.time FROM repositories g WHERE g.repository = $1 AND g.live = 0), 0)`, raw).Scan(&micro)
	if err == nil && micro != 0 {
		at = timeOf(micro)
	}
	return at, err
}

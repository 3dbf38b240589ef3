package builds

import (
	"context"

	"hubledger/events"
	"hubledger/projections"
)

// Bases are the images that a build was made from, as its builder told them.
func (r Reader) Bases(ctx context.Context, build string) ([]events.BuildBase, error) {
	raw, err := key(build)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (b events.BuildBase, err error) {
		err = row.Scan(&b.Name, &b.Digest, &b.Platform, &b.Repository, &b.Tag)
		return b, err
	}, `SELECT a.name, a.digest, a.platform, a.repository, a.tag FROM bases a WHERE a.build = $1 ORDER BY a.number`, raw)
}

package builds

import (
	"context"
	"slices"

	"hubledger/projections"
)

// Made is the build that made an image.
type Made struct {
	Digest, Build, Ref, Commit string
}

// MadeOf finds for each digest the latest build of a repository that pushed it.
func (r Reader) MadeOf(ctx context.Context, repository string, digests []string) (map[string]Made, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	found := map[string]Made{}
	for chunk := range slices.Chunk(digests, 500) {
		args := []any{raw}
		for _, d := range chunk {
			args = append(args, projections.Stored(d))
		}
		list, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (m Made, err error) {
			var id []byte
			err = row.Scan(&m.Digest, &id, &m.Ref, &m.Commit)
			m.Build = projections.IDOf(id)
			return m, err
		}, `SELECT s.digest, q.build, q.ref, q.commit_id FROM states s JOIN queued q ON q.build = s.build
			WHERE q.repository = $1 AND s.digest IN (`+projections.Marks(2, len(chunk))+`) ORDER BY q.seq`, args...)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			found[m.Digest] = m
		}
	}
	return found, nil
}

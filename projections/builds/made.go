package builds

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"hubledger/projections"
)

// Made is the build that made an image.
type Made struct {
	Digest, Build, Ref, Commit string
	Tags                       []string // that it set
}

// maxMade bounds the builds that MadeOf reads of 500 digests: the latest ones.
const maxMade = 5000

// MadeOf finds for each digest the builds of a repository that pushed it, latest first.
func (r Reader) MadeOf(ctx context.Context, repository string, digests []string) (map[string][]Made, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	found := map[string][]Made{}
	for chunk := range slices.Chunk(digests, 500) {
		args := []any{raw}
		for _, d := range chunk {
			args = append(args, projections.Stored(d))
		}
		list, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (m Made, err error) {
			var id []byte
			var tags string
			if err = row.Scan(&m.Digest, &id, &m.Ref, &m.Commit, &tags); err != nil {
				return m, err
			}
			m.Build = projections.IDOf(id)
			return m, json.Unmarshal([]byte(tags), &m.Tags)
		}, `SELECT s.digest, q.build, q.ref, q.commit_id, s.tags FROM states s JOIN queued q ON q.build = s.build
			WHERE q.repository = $1 AND s.digest IN (`+projections.Marks(2, len(chunk))+`) ORDER BY q.seq DESC LIMIT `+strconv.Itoa(maxMade), args...)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			found[m.Digest] = append(found[m.Digest], m)
		}
	}
	return found, nil
}

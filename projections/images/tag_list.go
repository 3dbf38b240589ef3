package images

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// A TagEntry is a live tag without what it takes a look at its image to know.
type TagEntry struct {
	Name   string
	Digest digest.Digest
	Pushed time.Time
}

// TagEntries lists live tags in byte order, at most n.
func (r Reader) TagEntries(ctx context.Context, repo string, n int) ([]TagEntry, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (t TagEntry, err error) {
		var sum []byte
		var at int64
		err = row.Scan(&t.Name, &sum, &at)
		t.Digest, t.Pushed = DigestOf(sum), time.UnixMicro(at).UTC()
		return t, err
	}, `SELECT t.tag, t.digest, t.time FROM tags t WHERE t.repo = $1 AND t.deleted = 0 AND NOT `+gone+` ORDER BY t.tag LIMIT $2`, key, n)
}

// TagDetailsOf lists those of the named tags that are live, in byte order.
func (r Reader) TagDetailsOf(ctx context.Context, repo string, names []string) (list []TagDetail, err error) {
	for chunk := range slices.Chunk(names, 500) {
		args := make([]any, len(chunk))
		for k, name := range chunk {
			args[k] = name
		}
		some, err := r.tagDetails(ctx, repo, selectTags(`AND t.tag IN (`+projections.Marks(4, len(chunk))+`)`, `t.tag`), args...)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// TagsThere says which of the named tags are live.
func (r Reader) TagsThere(ctx context.Context, repo string, names []string) (map[string]bool, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for chunk := range slices.Chunk(names, 500) {
		args := []any{key}
		for _, name := range chunk {
			args = append(args, name)
		}
		list, err := stringsOf(r.DB.QueryContext(ctx, `SELECT t.tag FROM tags t WHERE t.repo = $1 AND t.tag IN (`+projections.Marks(2, len(chunk))+`) AND t.deleted = 0 AND NOT `+gone, args...))
		if err != nil {
			return nil, err
		}
		for _, name := range list {
			there[name] = true
		}
	}
	return there, nil
}

// Sizes are what a pull of each manifest of a repository fetches, in bytes: of an
// image its blobs, of an index those of its largest image. Those that have none
// are left out. It reads all holds of the repository.
func (r Reader) Sizes(ctx context.Context, repo string) (map[digest.Digest]int64, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	sizes := map[digest.Digest]int64{}
	for _, query := range []string{
		`SELECT manifest, CAST(SUM(size) AS BIGINT) FROM holds WHERE repo = $1 GROUP BY manifest`,
		`SELECT c.digest, MAX(s.size) FROM children c JOIN (SELECT manifest, CAST(SUM(size) AS BIGINT) AS size FROM holds WHERE repo = $1 GROUP BY manifest) s
			ON s.manifest = c.child WHERE c.repo = $1 GROUP BY c.digest`,
	} {
		rows, err := r.DB.QueryContext(ctx, query, key)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var sum []byte
			var size int64
			if err := rows.Scan(&sum, &size); err != nil {
				return nil, err
			}
			sizes[DigestOf(sum)] = size
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return sizes, nil
}

// SubjectsOf are those of the manifests that a live referrer of one of these
// artifact types has as its subject.
func (r Reader) SubjectsOf(ctx context.Context, repo string, ds []digest.Digest, artifactTypes ...string) (map[digest.Digest]bool, error) {
	found := map[digest.Digest]bool{}
	err := eachRows(repo, ds, func(in string, args []any) error {
		from := len(args) + 1
		for _, t := range artifactTypes {
			args = append(args, t)
		}
		list, err := r.digests(ctx, `SELECT DISTINCT m.subject FROM referrers m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
			WHERE m.repo = $1 AND m.subject IN (`+in+`) AND m.artifact_type IN (`+projections.Marks(from, len(artifactTypes))+`) AND NOT `+dead, args...)
		for _, d := range list {
			found[d] = true
		}
		return err
	})
	return found, err
}

package images

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// Above lists the live manifests that some manifests of the repository belong to:
// the indexes that name them and the subjects that they refer to.
func (r Reader) Above(ctx context.Context, repo string, ds []digest.Digest) (list []digest.Digest, err error) {
	err = eachRows(repo, ds, func(marks string, args []any) error {
		above, err := r.digests(ctx, `SELECT m.digest FROM children c JOIN manifests m ON m.repo = c.repo AND m.digest = c.digest
				LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE c.repo = $1 AND c.child IN (`+marks+`) AND NOT `+dead+`
			UNION ALL SELECT m.digest FROM manifests f JOIN manifests m ON m.repo = f.repo AND m.digest = f.subject
				LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE f.repo = $1 AND f.digest IN (`+marks+`) AND NOT `+dead, args...)
		list = append(list, above...)
		return err
	})
	return list, err
}

// HeldOf lists those of some blobs, each given once, that a live manifest of the repository needs.
func (r Reader) HeldOf(ctx context.Context, repo string, ds []digest.Digest) (list []digest.Digest, err error) {
	err = eachRows(repo, ds, func(marks string, args []any) error {
		held, err := r.digests(ctx, `SELECT DISTINCT h.blob FROM holds h JOIN manifests m ON m.repo = h.repo AND m.digest = h.manifest
			LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE h.repo = $1 AND h.blob IN (`+marks+`) AND NOT `+dead, args...)
		list = append(list, held...)
		return err
	})
	return list, err
}

// TagsOf lists the live tags that name one of the manifests, by manifest, in byte
// order. It reads all tags of the repository.
func (r Reader) TagsOf(ctx context.Context, repo string, ds []digest.Digest) (map[digest.Digest][]string, error) {
	return r.tagsByDigest(ctx, repo, ds, `t.deleted = 0 AND NOT `+gone)
}

// tagsByDigest lists the tags that name one of the manifests and meet a condition.
func (r Reader) tagsByDigest(ctx context.Context, repo string, ds []digest.Digest, condition string) (map[digest.Digest][]string, error) {
	all := map[digest.Digest][]string{}
	type named struct {
		digest digest.Digest
		tag    string
	}
	err := eachRows(repo, ds, func(marks string, args []any) error {
		list, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (n named, err error) {
			var sum []byte
			err = row.Scan(&sum, &n.tag)
			n.digest = DigestOf(sum)
			return n, err
		}, `SELECT t.digest, t.tag FROM tags t WHERE t.repo = $1 AND t.digest IN (`+marks+`) AND `+condition+` ORDER BY t.tag`, args...)
		for _, n := range list {
			all[n.digest] = append(all[n.digest], n.tag)
		}
		return err
	})
	return all, err
}

// eachRows gives a query some hundred digests at a time: its arguments, of which
// the first is the repository, and the marks of the others.
func eachRows(repo string, ds []digest.Digest, query func(marks string, args []any) error) error {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(ds, 500) {
		args := []any{key}
		for _, d := range chunk {
			sum, err := DigestBytes(d)
			if err != nil {
				return err
			}
			args = append(args, sum)
		}
		if err := query(projections.Marks(2, len(chunk)), args); err != nil {
			return err
		}
	}
	return nil
}

// Beginning lists the live manifests whose digest begins with a text such as
// sha512:<64 hex digits>, which is how tags of signatures name them.
func (r Reader) Beginning(ctx context.Context, repo, text string) ([]digest.Digest, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	algorithm, encoded, _ := strings.Cut(text, ":")
	low, err := hex.DecodeString(encoded)
	if err != nil {
		return nil, nil // no digest is written so
	}
	high := append(append([]byte{}, low...), []byte(strings.Repeat("\xff", 33))...)
	all, err := r.digests(ctx, `SELECT m.digest FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.digest >= $2 AND m.digest <= $3 AND NOT `+dead, key, low, high)
	var list []digest.Digest
	for _, d := range all {
		if d.Algorithm().String() == algorithm {
			list = append(list, d)
		}
	}
	return list, err
}

func (r Reader) digests(ctx context.Context, query string, args ...any) ([]digest.Digest, error) {
	rows, err := r.DB.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []digest.Digest
	for rows.Next() {
		var sum []byte
		if err := rows.Scan(&sum); err != nil {
			return nil, err
		}
		list = append(list, DigestOf(sum))
	}
	return list, rows.Err()
}

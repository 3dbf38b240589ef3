package images

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// Above lists the live manifests that a manifest of the repository belongs to: the
// indexes that name it and, if it refers to one, its subject.
func (r Reader) Above(ctx context.Context, repo string, d digest.Digest) ([]digest.Digest, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, err
	}
	return r.digests(ctx, `SELECT m.digest FROM children c JOIN manifests m ON m.repo = c.repo AND m.digest = c.digest
			LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE c.repo = $1 AND c.child = $2 AND NOT `+dead+`
		UNION ALL SELECT m.digest FROM manifests f JOIN manifests m ON m.repo = f.repo AND m.digest = f.subject
			LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE f.repo = $1 AND f.digest = $2 AND NOT `+dead, key, sum)
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

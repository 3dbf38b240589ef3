package images

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxReferrers bounds the annotations of one page of referrers, in bytes.
const maxReferrers = 200 << 10

// Referrers lists the live manifests whose subject is d, ordered by digest;
// d itself need not exist. It begins after the digest last, and returns only
// those of one artifact type, unless these are empty. An answer has at most n
// referrers, or as many as have 200 KiB of annotations; more says that others follow.
func (r Reader) Referrers(ctx context.Context, repo string, d digest.Digest, artifactType string, last digest.Digest, n int) (list []v1.Descriptor, more bool, err error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, false, err
	}
	after := []byte{}
	if last != "" {
		if after, err = DigestBytes(last); err != nil {
			return nil, false, err
		}
	}
	// A row of referrers has the sequence of the push: manifests need not be joined.
	rows, err := r.DB.QueryContext(ctx, `SELECT m.digest, m.media_type, m.artifact_type, m.size, m.annotations
		FROM referrers m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.subject = $2 AND m.digest > $3 AND ($4 = '' OR m.artifact_type = $4)
		AND NOT `+dead+` ORDER BY m.digest LIMIT $5`, key, sum, after, artifactType, n+1)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for size := 0; rows.Next(); {
		var d v1.Descriptor
		var sum []byte
		var annotations string
		if err := rows.Scan(&sum, &d.MediaType, &d.ArtifactType, &d.Size, &annotations); err != nil {
			return nil, false, err
		}
		if size += len(annotations); len(list) > 0 && (len(list) == n || size > maxReferrers) {
			return list, true, nil
		}
		d.Digest = DigestOf(sum)
		if annotations != "" {
			if err := json.Unmarshal([]byte(annotations), &d.Annotations); err != nil {
				return nil, false, fmt.Errorf("annotations of %s: %w", d.Digest, err)
			}
		}
		list = append(list, d)
	}
	return list, false, rows.Err()
}

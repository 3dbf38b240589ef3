package images

import (
	"context"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// A ManifestDetail is a live manifest with what is known of it.
type ManifestDetail struct {
	TagDetail // without a name; By and Seq are those of the push of its bytes
	Parsed    *Manifest
	Bytes     int64 // of the manifest itself
}

// ManifestDetail finds a live manifest; ErrNotFound if there is none.
func (r Reader) ManifestDetail(ctx context.Context, repo string, d digest.Digest) (*ManifestDetail, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, err
	}
	m := &ManifestDetail{TagDetail: TagDetail{Digest: d}}
	var at, created int64
	err = r.DB.QueryRowContext(ctx, `SELECT m.media_type, m.platform, m.created, `+lastPushed+`, m.actor, m.seq, m.size, m.bytes
		FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.digest = $2 AND NOT `+dead, key, sum).Scan(&m.MediaType, &m.platform, &created, &at, &m.By, &m.Seq, &m.Bytes, &m.bytes)
	if err != nil {
		return nil, notFound(err, "manifest %s", d)
	}
	m.Pushed, m.Created = time.UnixMicro(at).UTC(), known(created)
	if m.Parsed, err = ParseManifest(m.bytes); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d, err)
	}
	return m, r.addImages(ctx, repo, &m.TagDetail)
}

// maxAlsoIn is up to which number manifests with a blob are counted.
const maxAlsoIn = 100

// AlsoIn counts, up to 100, the live manifests of a repository that need a blob, but
// for one.
func (r Reader) AlsoIn(ctx context.Context, repo string, blob, but digest.Digest) (n int, err error) {
	key, sum, err := rowKey(repo, blob)
	if err != nil {
		return 0, err
	}
	not, err := DigestBytes(but)
	if err != nil {
		return 0, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM `+liveHolds+`
		WHERE h.blob = $1 AND h.repo = $2 AND h.manifest <> $3 AND NOT `+dead+` LIMIT $4) x`, sum, key, not, maxAlsoIn).Scan(&n)
	return n, err
}

// An Untagged manifest is a live one that no tag names, no index that is there, and
// whose subject, if it has one, is not there.
type Untagged struct {
	Digest    digest.Digest
	MediaType string
	Pushed    time.Time
	By        string
	Size      int64 // of the manifest itself
	Parsed    *Manifest
}

// Untagged lists such manifests, in the order of their digests behind last, at most n.
// It reads all tags of the repository.
func (r Reader) Untagged(ctx context.Context, repo string, last digest.Digest, n int) ([]Untagged, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	after := []byte{}
	if last != "" {
		if after, err = DigestBytes(last); err != nil {
			return nil, err
		}
	}
	const live = `EXISTS (SELECT 1 FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE m.repo = u.repo AND m.digest = `
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (u Untagged, err error) {
		var sum, text []byte
		var at int64
		if err = row.Scan(&sum, &u.MediaType, &at, &u.By, &u.Size, &text); err != nil {
			return u, err
		}
		u.Digest, u.Pushed, u.Parsed = DigestOf(sum), time.UnixMicro(at).UTC(), &Manifest{}
		if len(text) > 0 {
			u.Parsed, err = ParseManifest(text)
		}
		return u, err
	}, `SELECT u.digest, u.media_type, u.pushed, u.actor, u.size, (SELECT CASE WHEN b.size <= $4 THEN b.bytes ELSE $5 END FROM manifests b WHERE b.repo = u.repo AND b.digest = u.digest)
		FROM (SELECT m.repo, m.digest, m.media_type, m.subject, `+lastPushed+` AS pushed, m.actor, m.size FROM manifests m
			LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE m.repo = $1 AND m.digest > $2 AND NOT `+dead+`
			AND m.digest NOT IN (SELECT t.digest FROM tags t WHERE t.repo = $1 AND t.deleted = 0 AND NOT `+gone+`)) u
		WHERE NOT EXISTS (SELECT 1 FROM children c WHERE c.repo = u.repo AND c.child = u.digest AND `+live+`c.digest AND NOT `+dead+`))
		AND NOT `+live+`u.subject AND NOT `+dead+`)
		ORDER BY u.digest LIMIT $3`, key, after, n, maxParsed, []byte{})
}

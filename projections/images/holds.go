package images

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
)

// HoldEnd says until when a blob is held by manifests that are live or can be
// restored. live says that a live manifest holds it, so that there is no end yet. The zero time means that no
// manifest ever held it.
//
// A deleted manifest or repository can be restored for the undelete window;
// where both are deleted, both would have to be, so the earlier end counts.
func (r Reader) HoldEnd(ctx context.Context, d digest.Digest, window time.Duration) (end time.Time, live bool, err error) {
	sum, err := DigestBytes(d)
	if err != nil {
		return time.Time{}, false, err
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT s.deleted_time, COALESCE((SELECT MAX(d.time) FROM deletions d
			WHERE d.repo = m.repo AND d.digest = m.digest AND d.undone = 0
			AND d.deletion > m.seq AND d.deletion > COALESCE(r.seq, 0)), 0)
		FROM holds h JOIN manifests m ON m.repo = h.repo AND m.digest = h.manifest
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		JOIN repository_state s ON s.repo = h.repo WHERE h.blob = $1`, sum)
	if err != nil {
		return time.Time{}, false, err
	}
	defer rows.Close()
	var last int64
	for rows.Next() {
		var repo, manifest int64
		if err := rows.Scan(&repo, &manifest); err != nil {
			return time.Time{}, false, err
		}
		if repo == 0 && manifest == 0 {
			return time.Time{}, true, nil
		}
		if repo == 0 || manifest != 0 && manifest < repo {
			repo = manifest
		}
		last = max(last, repo)
	}
	if err := rows.Err(); err != nil || last == 0 {
		return time.Time{}, false, err
	}
	return time.UnixMicro(last).Add(window), false, nil
}

// HeldBlobSince says whether a manifest of the repository that needs the blob
// is live, or was at some time after since.
func (r Reader) HeldBlobSince(ctx context.Context, repo string, d digest.Digest, since time.Time) (bool, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return false, err
	}
	return exists(r.DB.QueryRowContext(ctx, `SELECT 1 FROM holds h
		JOIN manifests m ON m.repo = h.repo AND m.digest = h.manifest
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE h.blob = $1 AND h.repo = $2 AND NOT EXISTS (SELECT 1 FROM deletions d WHERE d.repo = m.repo AND d.digest = m.digest
			AND d.undone = 0 AND d.deletion > m.seq AND d.deletion > COALESCE(r.seq, 0) AND d.time < $3) LIMIT 1`,
		sum, key, since.UnixMicro()))
}

// SweptAt is the sequence of the latest sweep of a blob, 0 when it never was.
func (r Reader) SweptAt(ctx context.Context, d digest.Digest) (uint64, error) {
	sum, err := DigestBytes(d)
	if err != nil {
		return 0, err
	}
	var seq uint64
	err = r.DB.QueryRowContext(ctx, `SELECT seq FROM swept WHERE blob = $1`, sum).Scan(&seq)
	if errors.Is(notFound(err, "blob"), ErrNotFound) {
		return 0, nil
	}
	return seq, err
}

// A Deletion of a manifest can be undone by its sequence.
type Deletion struct {
	Seq  uint64
	Time time.Time
}

// LastDeletion is the deletion by which a manifest is not live. ErrNotFound when
// there is none.
func (r Reader) LastDeletion(ctx context.Context, repo string, d digest.Digest) (Deletion, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return Deletion{}, err
	}
	var del Deletion
	var at int64
	err = r.DB.QueryRowContext(ctx, `SELECT d.deletion, d.time FROM manifests m
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		JOIN deletions d ON d.repo = m.repo AND d.digest = m.digest
		WHERE m.repo = $1 AND m.digest = $2 AND d.undone = 0 AND d.deletion > m.seq AND d.deletion > COALESCE(r.seq, 0)
		ORDER BY d.deletion DESC LIMIT 1`, key, sum).Scan(&del.Seq, &at)
	del.Time = time.UnixMicro(at).UTC()
	return del, notFound(err, "deletion of %s", d)
}

// Named lists what one manifest, live or deleted, names, each once, whether it is
// a blob and held or not. ErrNotFound.
func (r Reader) Named(ctx context.Context, repo string, d digest.Digest) ([]digest.Digest, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, err
	}
	var text []byte
	if err := r.DB.QueryRowContext(ctx, `SELECT bytes FROM manifests WHERE repo = $1 AND digest = $2`, key, sum).Scan(&text); err != nil {
		return nil, notFound(err, "manifest %s", d)
	}
	m, err := ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d, err)
	}
	return eachOnce(m.Named()), nil
}

// ManifestBlobs lists the blobs that one manifest holds. The key of holds
// begins with the blob, so it takes the blobs that the manifest names and looks
// each of them up.
func (r Reader) ManifestBlobs(ctx context.Context, repo string, d digest.Digest) ([]digest.Digest, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return nil, err
	}
	named, err := r.Named(ctx, repo, d)
	if err != nil {
		return nil, err
	}
	var list []digest.Digest
	for _, b := range named {
		blob, err := DigestBytes(b)
		if err != nil {
			return nil, err
		}
		held, err := exists(r.DB.QueryRowContext(ctx, `SELECT 1 FROM holds WHERE blob = $1 AND repo = $2 AND manifest = $3`, blob, key, sum))
		if err != nil {
			return nil, err
		}
		if held {
			list = append(list, b)
		}
	}
	return list, nil
}

// RepositoryBlobs lists the blobs that live manifests of a repository hold,
// ordered by digest, whether or not the repository itself is live.
func (r Reader) RepositoryBlobs(ctx context.Context, repo string) ([]digest.Digest, error) {
	var list []digest.Digest
	err := r.RepositoryHolds(ctx, repo, func(h Hold) error {
		if n := len(list); n == 0 || list[n-1] != h.Blob {
			list = append(list, h.Blob)
		}
		return nil
	})
	return list, err
}

// An Image is a live manifest in a live repository, with the tags that name it.
type Image struct {
	Repository string        `json:"repository"`
	Digest     digest.Digest `json:"digest"`
	Tags       []string      `json:"tags,omitempty"`
}

// ImagesWith lists the live images that need a blob, which break without it.
func (r Reader) ImagesWith(ctx context.Context, d digest.Digest) ([]Image, error) {
	sum, err := DigestBytes(d)
	if err != nil {
		return nil, err
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT n.name, m.digest, COALESCE(t.tag, '') FROM holds h
		JOIN manifests m ON m.repo = h.repo AND m.digest = h.manifest
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		JOIN repository_state s ON s.repo = h.repo AND s.deleted_time = 0
		JOIN repositories n ON n.repo = h.repo
		LEFT JOIN tags t ON t.repo = m.repo AND t.digest = m.digest AND t.deleted = 0 AND NOT `+gone+`
		WHERE h.blob = $1 AND NOT `+dead+` ORDER BY n.name, m.digest, t.tag`, sum)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Image
	for rows.Next() {
		var name, tag string
		var sum []byte
		if err := rows.Scan(&name, &sum, &tag); err != nil {
			return nil, err
		}
		d := DigestOf(sum)
		if n := len(list); n == 0 || list[n-1].Repository != name || list[n-1].Digest != d {
			list = append(list, Image{Repository: name, Digest: d})
		}
		if tag != "" {
			list[len(list)-1].Tags = append(list[len(list)-1].Tags, tag)
		}
	}
	return list, rows.Err()
}

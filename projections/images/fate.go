package images

import (
	"context"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// A Fate says what has become of a manifest that was pushed.
type Fate struct {
	MediaType string
	// Deletion is the one by which it is not live; zero while it is.
	Deletion Deletion
	// Swept is the event by which garbage collection removed a blob of it that was not
	// pushed again since; 0 when all of them are there, as far as the log knows.
	Swept uint64
}

// Live says whether the manifest is there.
func (f Fate) Live() bool { return f.Deletion.Seq == 0 }

// Fates says what has become of manifests of a repository; those that were never pushed
// are left out.
func (r Reader) Fates(ctx context.Context, repo string, ds []digest.Digest) (map[digest.Digest]Fate, error) {
	all := map[digest.Digest]Fate{}
	blobs := map[digest.Digest][]digest.Digest{} // with the deleted manifests that name them
	err := eachRows(repo, ds, func(marks string, args []any) error {
		rows, err := r.DB.QueryContext(ctx, `SELECT m.digest, m.media_type, COALESCE((SELECT MAX(d.deletion) FROM deletions d WHERE d.repo = m.repo AND d.digest = m.digest
				AND d.undone = 0 AND d.deletion > m.seq AND d.deletion > COALESCE(r.seq, 0)), 0)
			FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE m.repo = $1 AND m.digest IN (`+marks+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var sum []byte
			var f Fate
			if err := rows.Scan(&sum, &f.MediaType, &f.Deletion.Seq); err != nil {
				return err
			}
			all[DigestOf(sum)] = f
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	for d, f := range all {
		if f.Live() {
			continue
		}
		if f.Deletion, err = r.LastDeletion(ctx, repo, d); err != nil {
			return nil, fmt.Errorf("the deletion of %s: %w", d, err)
		}
		all[d] = f
		named, err := r.Named(ctx, repo, d)
		if err != nil {
			return nil, err
		}
		for _, b := range named {
			blobs[b] = append(blobs[b], d)
		}
	}
	return all, r.markSwept(ctx, repo, all, blobs)
}

// markSwept sets Swept of those manifests that hold one of the blobs which is gone: it was
// swept, and no manifest was pushed since that needs it.
func (r Reader) markSwept(ctx context.Context, repo string, all map[digest.Digest]Fate, blobs map[digest.Digest][]digest.Digest) error {
	var names []digest.Digest
	for b := range blobs {
		if _, err := DigestBytes(b); err == nil {
			names = append(names, b)
		}
	}
	return eachRows(repo, names, func(marks string, args []any) error {
		rows, err := r.DB.QueryContext(ctx, `SELECT h.manifest, MAX(w.seq) FROM swept w JOIN holds h ON h.blob = w.blob AND h.repo = $1
			WHERE w.blob IN (`+marks+`) AND NOT EXISTS (SELECT 1 FROM holds h2 JOIN manifests m ON m.repo = h2.repo AND m.digest = h2.manifest WHERE h2.blob = w.blob AND m.seq > w.seq)
			GROUP BY h.manifest`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var sum []byte
			var seq uint64
			if err := rows.Scan(&sum, &seq); err != nil {
				return err
			}
			if f, ok := all[DigestOf(sum)]; ok && !f.Live() {
				f.Swept = max(f.Swept, seq)
				all[DigestOf(sum)] = f
			}
		}
		return rows.Err()
	})
}

// TagsHidden lists, for deleted manifests, the tags that come back when the deletion is
// undone: they named the manifest when it was deleted. In byte order. It reads all tags of
// the repository.
func (r Reader) TagsHidden(ctx context.Context, repo string, ds []digest.Digest) (map[digest.Digest][]string, error) {
	return r.tagsByDigest(ctx, repo, ds, `t.deleted = 0 AND `+gone)
}

// A Trashed thing is a tag or a manifest that was deleted from a repository.
type Trashed struct {
	Seq    uint64 // of the deletion
	Tag    string // "" of a manifest
	Digest digest.Digest
	Time   time.Time
	By     string // login name of who deleted the tag; "" of a manifest
}

// Trash lists what was deleted from a live repository and is not there again, the latest
// deletion first, at most n: what was deleted before the event of that sequence, or all
// with 0. It reads all tags and all deletions of the repository.
func (r Reader) Trash(ctx context.Context, repo string, before uint64, n int) ([]Trashed, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	until := int64(1) << 62
	if before > 0 {
		until = int64(before)
	}
	return projections.ListOf(ctx, r.DB, func(row projections.Row) (t Trashed, err error) {
		var sum []byte
		var at int64
		err = row.Scan(&t.Seq, &t.Tag, &sum, &at, &t.By)
		t.Digest, t.Time = DigestOf(sum), time.UnixMicro(at).UTC()
		return t, err
	}, `SELECT x.seq, x.tag, x.digest, CASE WHEN x.tag = '' THEN (SELECT d.time FROM deletions d WHERE d.repo = $1 AND d.digest = x.digest AND d.deletion = x.seq) ELSE x.time END, x.actor FROM (
			SELECT t.seq AS seq, t.tag AS tag, t.digest AS digest, t.time AS time, t.actor AS actor FROM tags t WHERE t.repo = $1 AND t.deleted = 1 AND t.seq < $2
			UNION ALL SELECT g.seq, '' AS tag, g.digest, 0 AS time, '' AS actor FROM (SELECT d.digest AS digest, MAX(d.deletion) AS seq FROM deletions d WHERE d.repo = $1 AND d.undone = 0 GROUP BY d.digest) g
				JOIN manifests m ON m.repo = $1 AND m.digest = g.digest LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
				WHERE g.seq < $2 AND g.seq > m.seq AND g.seq > COALESCE(r.seq, 0)) x
		ORDER BY x.seq DESC LIMIT $3`, key, until, n)
}

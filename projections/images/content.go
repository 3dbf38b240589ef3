package images

import (
	"context"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/projections"
)

// Content is what is live in one repository.
type Content struct {
	Manifests []ContentManifest // ordered by digest
	Tags      []ContentTag      // ordered by name
}

// ContentManifest is one live manifest.
type ContentManifest struct {
	Digest   digest.Digest
	Size     int64           // of the manifest itself in bytes
	Pushed   time.Time       // the last time
	Released time.Time       // when a tag last stopped naming it; zero for never
	Subject  digest.Digest   // "" when it refers to none
	Children []digest.Digest // the manifests that an index names, each once, whether they are there or not
}

// ContentTag is one live tag.
type ContentTag struct {
	Name   string
	Digest digest.Digest
	Pushed time.Time // a restored tag, when it was pushed before
	Seq    uint64    // of the event that did so
}

// dockerIndex is what Docker schema 2 calls an index.
const dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json"

// Content reads all live manifests and tags of a repository, whether or not the
// repository itself is live. Of the manifests' bytes it reads only those of indexes.
func (r Reader) Content(ctx context.Context, repo string) (Content, error) {
	var c Content
	key, err := projections.IDBytes(repo)
	if err != nil {
		return c, err
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT m.digest, m.size, `+lastPushed+`, m.subject,
			CASE WHEN m.media_type IN ($2, $3) THEN m.bytes ELSE $4 END
		FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND NOT `+dead+` ORDER BY m.digest`, key, v1.MediaTypeImageIndex, dockerIndex, []byte{})
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		var sum, subject, text []byte
		var m ContentManifest
		var at int64
		if err := rows.Scan(&sum, &m.Size, &at, &subject, &text); err != nil {
			return c, err
		}
		m.Digest, m.Pushed = DigestOf(sum), time.UnixMicro(at).UTC()
		if len(subject) > 0 {
			m.Subject = DigestOf(subject)
		}
		if len(text) > 0 {
			parsed, err := ParseManifest(text)
			if err != nil {
				return c, fmt.Errorf("manifest %s: %w", m.Digest, err)
			}
			m.Children = parsed.Children()
		}
		c.Manifests = append(c.Manifests, m)
	}
	if err := rows.Err(); err != nil {
		return c, err
	}
	if err := rows.Close(); err != nil {
		return c, err
	}
	if err := r.released(ctx, key, c.Manifests); err != nil {
		return c, err
	}
	c.Tags, err = r.contentTags(ctx, key)
	return c, err
}

// released sets Released: the history of all tags says when each manifest lost one.
func (r Reader) released(ctx context.Context, key []byte, list []ContentManifest) error {
	at := map[digest.Digest]*ContentManifest{}
	for k := range list {
		at[list[k].Digest] = &list[k]
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT tag, digest, deleted, time FROM tag_history WHERE repo = $1 ORDER BY tag, seq`, key)
	if err != nil {
		return err
	}
	defer rows.Close()
	var before *ContentManifest // what the tag named until this row
	var of string
	for rows.Next() {
		var tag string
		var sum []byte
		var deleted, when int64
		if err := rows.Scan(&tag, &sum, &deleted, &when); err != nil {
			return err
		}
		if tag != of {
			of, before = tag, nil
		}
		if t := time.UnixMicro(when).UTC(); before != nil && t.After(before.Released) {
			before.Released = t
		}
		if before = nil; deleted == 0 {
			before = at[DigestOf(sum)]
		}
	}
	return rows.Err()
}

func (r Reader) contentTags(ctx context.Context, key []byte) ([]ContentTag, error) {
	rows, err := r.DB.QueryContext(ctx, `SELECT t.tag, t.digest, t.time, t.seq FROM tags t
		WHERE t.repo = $1 AND t.deleted = 0 AND NOT `+gone+` ORDER BY t.tag`, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []ContentTag
	for rows.Next() {
		var t ContentTag
		var sum []byte
		var at int64
		if err := rows.Scan(&t.Name, &sum, &at, &t.Seq); err != nil {
			return nil, err
		}
		t.Digest, t.Pushed = DigestOf(sum), time.UnixMicro(at).UTC()
		list = append(list, t)
	}
	return list, rows.Err()
}

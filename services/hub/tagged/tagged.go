// Package tagged reads what a repository's tags name, as people want to see
// it: platforms, sizes, and who pushed when. It asks the registry's read model.
package tagged

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/registry"
)

// maxParsed is the largest manifest in bytes that is looked into; one that is
// larger has no platforms and no size here.
const maxParsed = 256 << 10

// maxChildren bounds the images of one index that are shown.
const maxChildren = 64

// A Tag is a live tag and what it names.
type Tag struct {
	Name      string
	Digest    digest.Digest
	MediaType string
	Size      int64     // in bytes, of the blobs of an image, or of an index's largest image; 0 when not known
	Pushed    time.Time // or restored
	By        string    // who did
	Images    []Image   // one, or those of an index that are there
}

// An Image is for one platform.
type Image struct {
	Digest   digest.Digest
	Platform events.Platform // zero when not known
	Size     int64           // of its blobs in bytes
	Pushed   time.Time
}

// Reader asks the registry's read model.
type Reader struct{ registry.Reader }

// row is a tag with the manifest that it names.
type row struct {
	Tag
	platform string
	bytes    []byte
}

// live is what makes a tag t be there.
const live = `t.repo = $1 AND t.deleted = 0 AND NOT EXISTS (SELECT 1 FROM deletions d WHERE d.repo = t.repo AND d.digest = t.digest
	AND d.undone = 0 AND d.deletion > t.seq)`

// named finds the tags that rest says, and only then what they name: a
// manifest's bytes are not sorted along, and come only if they are few.
func named(rest, order string) string {
	return `SELECT t.tag, t.digest, t.time, t.actor, m.media_type, m.platform, CASE WHEN m.size <= $2 THEN m.bytes ELSE $3 END
		FROM (SELECT t.repo, t.tag, t.digest, t.time, t.actor FROM tags t WHERE ` + live + ` ` + rest + `) t
		JOIN manifests m ON m.repo = t.repo AND m.digest = t.digest ORDER BY ` + order
}

var (
	byName = named(`AND t.tag > $4 ORDER BY t.tag LIMIT $5`, `t.tag`)
	newest = named(`ORDER BY t.time DESC, t.tag LIMIT $4 OFFSET $5`, `t.time DESC, t.tag`)
	single = named(`AND t.tag = $4`, `t.tag`)
)

// Tags lists live tags behind last in byte order, at most n.
func (r Reader) Tags(ctx context.Context, repo, last string, n int) ([]Tag, error) {
	return r.tags(ctx, repo, byName, last, n)
}

// Newest lists live tags behind the first offset, the one pushed last first,
// at most n. It reads all tags of the repository.
func (r Reader) Newest(ctx context.Context, repo string, offset, n int) ([]Tag, error) {
	return r.tags(ctx, repo, newest, n, offset)
}

// Tag finds one live tag. registry.ErrNotFound.
func (r Reader) Tag(ctx context.Context, repo, tag string) (*Tag, error) {
	list, err := r.tags(ctx, repo, single, tag)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("tag %s: %w", tag, registry.ErrNotFound)
	}
	return &list[0], nil
}

// Count says how many live tags there are.
func (r Reader) Count(ctx context.Context, repo string) (n int, err error) {
	key, err := registry.IDBytes(repo)
	if err != nil {
		return 0, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT COUNT(*) FROM tags t WHERE `+live, key).Scan(&n)
	return n, err
}

func (r Reader) tags(ctx context.Context, repo, query string, args ...any) ([]Tag, error) {
	rows, err := r.rows(ctx, repo, query, args...)
	if err != nil {
		return nil, err
	}
	list := make([]Tag, len(rows))
	for i := range rows {
		if err := r.look(ctx, repo, &rows[i]); err != nil {
			return nil, err
		}
		list[i] = rows[i].Tag
	}
	return list, nil
}

func (r Reader) rows(ctx context.Context, repo, query string, args ...any) ([]row, error) {
	key, err := registry.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	found, err := r.DB.QueryContext(ctx, query, append([]any{key, maxParsed, []byte{}}, args...)...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var list []row
	for found.Next() {
		var t row
		var sum []byte
		var at int64
		if err := found.Scan(&t.Name, &sum, &at, &t.By, &t.MediaType, &t.platform, &t.bytes); err != nil {
			return nil, err
		}
		t.Digest, t.Pushed = registry.DigestOf(sum), time.UnixMicro(at).UTC()
		list = append(list, t)
	}
	return list, found.Err()
}

// look fills in the images of a tag.
func (r Reader) look(ctx context.Context, repo string, t *row) error {
	if len(t.bytes) == 0 {
		t.Images = []Image{{Digest: t.Digest, Pushed: t.Pushed}}
		return nil
	}
	m, err := registry.ParseManifest(t.bytes)
	if err != nil {
		return fmt.Errorf("manifest %s: %w", t.Digest, err)
	}
	if len(m.Manifests) == 0 {
		p, err := platformOf(t.platform)
		t.Size = sizeOf(m)
		t.Images = []Image{{t.Digest, p, t.Size, t.Pushed}}
		return err
	}
	for _, child := range m.Manifests[:min(len(m.Manifests), maxChildren)] {
		image, err := r.child(ctx, repo, child.Digest)
		if err != nil {
			return err
		}
		if image == nil {
			continue
		}
		if p := child.Platform; p != nil {
			image.Platform = events.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion, OSFeatures: p.OSFeatures}
		}
		t.Size = max(t.Size, image.Size)
		t.Images = append(t.Images, *image)
	}
	return nil
}

func platformOf(text string) (p events.Platform, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &p)
	}
	return p, err
}

// sizeOf is what an image's blobs come to.
func sizeOf(m *registry.Manifest) (n int64) {
	for _, blob := range m.Blobs() {
		n += max(0, blob.Size)
	}
	return n
}

package images

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
)

// maxParsed is the largest manifest in bytes that is parsed for a TagDetail; a
// larger one is shown without platforms and size.
const maxParsed = 256 << 10

// maxChildren bounds the images of one index that are shown.
const maxChildren = 64

// A PlatformImage is an image for one platform.
type PlatformImage struct {
	Digest   digest.Digest
	Platform events.Platform // zero when not known
	Size     int64           // of its blobs in bytes
	Pushed   time.Time
	Created  time.Time // as its config says; zero when not known
	// Attestation is true of what tells of another image of the index, such as its
	// SBOM: BuildKit pushes those beside the images, for the platform unknown/unknown.
	Attestation bool
}

// BuildKit marks an attestation by this annotation of its descriptor, and by this
// operating system and architecture, which is all that some tools keep.
const referenceType, attestation, unknown = "vnd.docker.reference.type", "attestation-manifest", "unknown"

// addImages sets the images and the size of a tag.
func (r Reader) addImages(ctx context.Context, repo string, t *TagDetail) error {
	if len(t.bytes) == 0 {
		t.Images = []PlatformImage{{Digest: t.Digest, Pushed: t.Pushed}}
		return nil
	}
	m, err := ParseManifest(t.bytes)
	t.bytes = nil
	if err != nil {
		return fmt.Errorf("manifest %s: %w", t.Digest, err)
	}
	t.Artifact = m.Artifact()
	if len(m.Manifests) == 0 {
		p, err := platformOf(t.platform)
		t.Size = sizeOf(m)
		t.Images = []PlatformImage{{Digest: t.Digest, Platform: p, Size: t.Size, Pushed: t.Pushed, Created: t.Created}}
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
		image.Attestation = child.Annotations[referenceType] == attestation || image.Platform.OS == unknown && image.Platform.Architecture == unknown
		if t.Created.IsZero() {
			t.Created = image.Created
		}
		t.Size = max(t.Size, image.Size)
		t.Images = append(t.Images, *image)
	}
	return nil
}

// child is an image that an index names, nil when the repository does not have
// it: an index may be sparse.
func (r Reader) child(ctx context.Context, repo string, d digest.Digest) (*PlatformImage, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	sum, err := DigestBytes(d)
	if err != nil {
		return nil, nil // no manifest with such a digest was ever pushed
	}
	image := &PlatformImage{Digest: d}
	var platform string
	var text []byte
	var at, created int64
	err = r.DB.QueryRowContext(ctx, `SELECT m.platform, `+lastPushed+`, m.created, CASE WHEN m.size <= $2 THEN m.bytes ELSE $3 END
		FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.digest = $4 AND NOT `+dead, key, maxParsed, []byte{}, sum).Scan(&platform, &at, &created, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	image.Pushed, image.Created = time.UnixMicro(at).UTC(), known(created)
	if image.Platform, err = platformOf(platform); err != nil || len(text) == 0 {
		return image, err
	}
	m, err := ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d, err)
	}
	image.Size = sizeOf(m)
	return image, nil
}

func platformOf(text string) (p events.Platform, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &p)
	}
	return p, err
}

// sizeOf is the size of an image's blobs together: a pull fetches each once.
func sizeOf(m *Manifest) (n int64) {
	seen := map[digest.Digest]bool{}
	for _, blob := range m.Blobs() {
		if !seen[blob.Digest] {
			seen[blob.Digest] = true
			n += max(0, blob.Size)
		}
	}
	return n
}

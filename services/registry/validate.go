package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/images"
)

// The media types of manifests (image-spec and Docker schema 2).
const (
	typeOCIManifest    = v1.MediaTypeImageManifest
	typeOCIIndex       = v1.MediaTypeImageIndex
	typeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeDockerConfig   = "application/vnd.docker.container.image.v1+json"
)

// isManifestType says whether content of a media type can only be a manifest.
func isManifestType(t string) bool {
	return t == typeOCIManifest || t == typeOCIIndex || t == typeDockerManifest || t == typeDockerList
}

// validate checks a manifest's shape against its media type.
func validate(mediaType string, m *images.Manifest) error {
	if m.SchemaVersion != 2 {
		return manifestInvalid("schemaVersion is not 2; Docker schema 1 is not supported")
	}
	switch mediaType {
	case typeOCIManifest, typeDockerManifest:
		if m.Config == nil {
			return manifestInvalid("an image manifest needs a config")
		}
		if m.Manifests != nil {
			return manifestInvalid("an image manifest has no list of manifests")
		}
	case typeOCIIndex, typeDockerList:
		if m.Config != nil || m.Layers != nil {
			return manifestInvalid("an index has neither config nor layers")
		}
	default:
		return manifestInvalid(fmt.Sprintf("media type %q is not supported: push %s, %s, %s or %s",
			mediaType, typeOCIManifest, typeOCIIndex, typeDockerManifest, typeDockerList))
	}
	list := m.Named()
	if len(list) > maxDescriptors {
		return tooManyDescriptors()
	}
	for _, d := range list {
		if _, err := images.DigestBytes(d.Digest); err != nil {
			return digestInvalid(d.Digest.String())
		}
		if d.Size < 0 {
			return manifestInvalid(fmt.Sprintf("descriptor %s has a negative size", d.Digest))
		}
	}
	return nil
}

// isForeign says whether a layer may be left out of a push: it is marked as
// non-distributable, or as to be fetched from URLs (image-spec,
// "Non-Distributable Layers").
func isForeign(d v1.Descriptor) bool {
	return len(d.URLs) > 0 || strings.HasPrefix(d.MediaType, "application/vnd.oci.image.layer.nondistributable.") ||
		strings.HasPrefix(d.MediaType, "application/vnd.docker.image.rootfs.foreign.")
}

// requiredBlobs are those that have to be pushed: the config, and every layer
// with at least one descriptor that does not mark it as foreign.
func requiredBlobs(m *images.Manifest) map[digest.Digest]bool {
	required := map[digest.Digest]bool{}
	if m.Config != nil {
		required[m.Config.Digest] = true
	}
	for _, d := range m.Layers {
		if !isForeign(d) {
			required[d.Digest] = true
		}
	}
	return required
}

// maxConfig is how much of a config is read for its platform, in bytes.
const maxConfig = 1 << 20

// maxPlatform bounds what an event has of a platform, in bytes of its words.
const maxPlatform = 1 << 10

// describe reads platform and creation time from an image's config. Both are nil
// for a config that cannot be parsed or is of another kind: nothing in a config
// makes a push fail.
func (s *Registry) describe(ctx context.Context, m *images.Manifest) (*events.Platform, *time.Time) {
	if m.Config == nil || m.Config.Size > maxConfig ||
		m.Config.MediaType != v1.MediaTypeImageConfig && m.Config.MediaType != typeDockerConfig {
		return nil, nil
	}
	f, _, err := s.Blobs.Open(ctx, m.Config.Digest)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return nil, nil
	}
	var c struct {
		Created    string   `json:"created"`
		OS         string   `json:"os"`
		Arch       string   `json:"architecture"`
		Variant    string   `json:"variant"`
		OSVersion  string   `json:"os.version"`
		OSFeatures []string `json:"os.features"`
	}
	if json.Unmarshal(raw, &c) != nil {
		return nil, nil
	}
	var created *time.Time
	if t, err := time.Parse(time.RFC3339Nano, c.Created); err == nil && t.Year() > 0 && t.Year() < 10000 {
		t = t.UTC()
		created = &t
	}
	length := len(c.OS) + len(c.Arch) + len(c.Variant) + len(c.OSVersion)
	for _, f := range c.OSFeatures {
		length += len(f)
	}
	if c.OS == "" && c.Arch == "" || length > maxPlatform {
		return nil, created
	}
	return &events.Platform{OS: c.OS, Architecture: c.Arch, Variant: c.Variant, OSVersion: c.OSVersion, OSFeatures: c.OSFeatures}, created
}

// Package manifest reads and judges the bytes of a manifest that somebody pushes,
// and of an image's config. It looks nothing up: whether what a manifest names is
// there is the registry's to say.
package manifest

import (
	"fmt"
	"mime"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/projections/images"
)

// MaxSize is the largest manifest in bytes. The distribution-spec asks for at
// least this much ("Pushing Manifests").
const MaxSize = 4 << 20

// An InvalidError says, for the client, why a manifest is refused.
type InvalidError struct{ Reason string }

func (e *InvalidError) Error() string { return e.Reason }

func invalid(reason string) error { return &InvalidError{reason} }

// A DigestError refuses a manifest in which a descriptor has a digest that is none.
type DigestError struct{ Digest digest.Digest }

func (e *DigestError) Error() string {
	return fmt.Sprintf("the manifest names %.150q, which is not a digest", e.Digest.String())
}

// Read parses a manifest and judges it by itself. Its media type is that of
// contentType, the header of the request, or its own where that is empty. A
// refusal is an *InvalidError or a *DigestError.
func Read(raw []byte, contentType string) (m *images.Manifest, mediaType string, err error) {
	if err := checkJSON(raw); err != nil {
		return nil, "", err
	}
	if m, err = images.ParseManifest(raw); err != nil {
		return nil, "", invalid(err.Error())
	}
	if mediaType, err = mediaTypeOf(contentType, m); err != nil {
		return nil, "", err
	}
	return m, mediaType, check(mediaType, m)
}

// The media types of manifests (image-spec and Docker schema 2).
const (
	typeOCIManifest    = v1.MediaTypeImageManifest
	typeOCIIndex       = v1.MediaTypeImageIndex
	typeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeDockerConfig   = "application/vnd.docker.container.image.v1+json"
)

// mediaTypeOf is a manifest's media type: the Content-Type of the request, or
// without one the mediaType in the manifest. When there are both, they have to
// be the same (image-spec, "Image Manifest").
func mediaTypeOf(header string, m *images.Manifest) (string, error) {
	if header == "" {
		if m.MediaType != "" {
			return m.MediaType, nil
		}
		return "", invalid("a manifest needs a Content-Type")
	}
	t, _, err := mime.ParseMediaType(header)
	if err != nil {
		return "", invalid("the Content-Type cannot be parsed")
	}
	if m.MediaType != "" && m.MediaType != t {
		return "", invalid(fmt.Sprintf("the Content-Type is %s, but the manifest's mediaType is %s", t, m.MediaType))
	}
	return t, nil
}

// IsType says whether content of a media type can only be a manifest.
func IsType(t string) bool {
	return t == typeOCIManifest || t == typeOCIIndex || t == typeDockerManifest || t == typeDockerList
}

// check judges a manifest's shape against its media type.
func check(mediaType string, m *images.Manifest) error {
	if m.SchemaVersion != 2 {
		return invalid("schemaVersion is not 2; Docker schema 1 is not supported")
	}
	switch mediaType {
	case typeOCIManifest, typeDockerManifest:
		if m.Config == nil {
			return invalid("an image manifest needs a config")
		}
		if m.Manifests != nil {
			return invalid("an image manifest has no list of manifests")
		}
	case typeOCIIndex, typeDockerList:
		if m.Config != nil || m.Layers != nil {
			return invalid("an index has neither config nor layers")
		}
	default:
		return invalid(fmt.Sprintf("media type %q is not supported: push %s, %s, %s or %s",
			mediaType, typeOCIManifest, typeOCIIndex, typeDockerManifest, typeDockerList))
	}
	list := m.Named()
	if len(list) > maxDescriptors {
		return tooManyDescriptors()
	}
	for _, d := range list {
		if _, err := images.DigestBytes(d.Digest); err != nil {
			return &DigestError{d.Digest}
		}
		if d.Size < 0 {
			return invalid(fmt.Sprintf("descriptor %s has a negative size", d.Digest))
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

// Required are the blobs that have to be pushed: the config, and every layer with
// at least one descriptor that does not mark it as foreign.
func Required(m *images.Manifest) map[digest.Digest]bool {
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

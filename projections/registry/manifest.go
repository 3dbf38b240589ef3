package registry

import (
	_ "crypto/sha256" // makes both digest algorithms available
	_ "crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// A Manifest is what the registry needs of an image manifest, an image index
// and their Docker schema 2 forms; they share their field names.
type Manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *v1.Descriptor    `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Manifests     []v1.Descriptor   `json:"manifests"`
	Subject       *v1.Descriptor    `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// ParseManifest reads a manifest's bytes. It checks the JSON only; what a
// registry accepts is for the registry to say.
func ParseManifest(raw []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("manifest is not valid JSON: %w", err)
	}
	return &m, nil
}

// Blobs are the descriptors of the config and the layers.
func (m *Manifest) Blobs() []v1.Descriptor {
	if m.Config == nil {
		return m.Layers
	}
	return append([]v1.Descriptor{*m.Config}, m.Layers...)
}

// IsForeign tells a layer that its pusher may leave out: non-distributable, or
// to be fetched from somewhere else (image-spec, "Non-Distributable Layers").
func IsForeign(d v1.Descriptor) bool {
	return len(d.URLs) > 0 || strings.HasPrefix(d.MediaType, "application/vnd.oci.image.layer.nondistributable.") ||
		strings.HasPrefix(d.MediaType, "application/vnd.docker.image.rootfs.foreign.")
}

// Artifact is the artifact type that a referrers list shows for the manifest:
// its own, or the media type of its config (distribution-spec, Listing Referrers).
func (m *Manifest) Artifact() string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}

// DigestBytes is a digest as the tables hold it: 32 bytes are SHA-256, 64 SHA-512.
func DigestBytes(d digest.Digest) ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("digest %q: %w", d, err)
	}
	raw, err := hex.DecodeString(d.Encoded())
	if err != nil || len(raw) != 32 && len(raw) != 64 || len(raw) == 32 != (d.Algorithm() == digest.SHA256) {
		return nil, fmt.Errorf("digest %q is neither sha256 nor sha512", d)
	}
	return raw, nil
}

// DigestOf is the digest that the tables hold as these bytes.
func DigestOf(raw []byte) digest.Digest {
	if len(raw) == 64 {
		return digest.NewDigestFromEncoded(digest.SHA512, hex.EncodeToString(raw))
	}
	return digest.NewDigestFromEncoded(digest.SHA256, hex.EncodeToString(raw))
}

// IDBytes is a UUID as the tables hold it.
func IDBytes(id string) ([]byte, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return nil, fmt.Errorf("id %q: %w", id, err)
	}
	return u[:], nil
}

// IDOf is the UUID that the tables hold as these bytes.
func IDOf(raw []byte) string {
	u, err := uuid.FromBytes(raw)
	if err != nil {
		return ""
	}
	return u.String()
}

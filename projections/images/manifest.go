package images

import (
	_ "crypto/sha256" // makes both digest algorithms available
	_ "crypto/sha512"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

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

// Children are the digests of the manifests that an index names, each once.
func (m *Manifest) Children() []digest.Digest { return eachOnce(m.Manifests) }

// LayerDigests are the digests of its layers, each once.
func (m *Manifest) LayerDigests() []digest.Digest { return eachOnce(m.Layers) }

// eachOnce are the digests of descriptors in their order, without repetitions.
func eachOnce(descriptors []v1.Descriptor) []digest.Digest {
	seen := make(map[digest.Digest]bool, len(descriptors))
	var list []digest.Digest
	for _, d := range descriptors {
		if !seen[d.Digest] {
			seen[d.Digest] = true
			list = append(list, d.Digest)
		}
	}
	return list
}

// Blobs are the descriptors of the config and the layers.
func (m *Manifest) Blobs() []v1.Descriptor {
	if m.Config == nil {
		return m.Layers
	}
	return append([]v1.Descriptor{*m.Config}, m.Layers...)
}

// Named are all descriptors of the manifest, wherever they stand.
func (m *Manifest) Named() []v1.Descriptor {
	list := append(slices.Clip(m.Blobs()), m.Manifests...)
	if m.Subject != nil {
		list = append(list, *m.Subject)
	}
	return list
}

// Held are the blobs that a push of the manifest holds, each once: the config and
// the layers without those that are absent, since the pusher may not read these
// and a hold would let them; and what stands elsewhere only if it is among blobs.
func (m *Manifest) Held(absent, blobs []digest.Digest) []v1.Descriptor {
	state := make(map[digest.Digest]bool, len(absent)+len(blobs)) // false: not held
	for _, d := range m.Blobs() {
		state[d.Digest] = true
	}
	for _, d := range absent {
		state[d] = false
	}
	for _, d := range blobs {
		state[d] = true
	}
	var list []v1.Descriptor
	for _, d := range m.Named() {
		if state[d.Digest] {
			list = append(list, d)
			state[d.Digest] = false // from now on
		}
	}
	return list
}

// Artifact is the artifact type that a referrers list shows for the manifest:
// its own, or the media type of its config (distribution-spec, Listing Referrers).
func (m *Manifest) Artifact() string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}

// DigestBytes is a digest as the tables hold it: 32 bytes are SHA-256, 64
// SHA-512. Only the one spelling of the image-spec, "Digests", is accepted.
func DigestBytes(d digest.Digest) ([]byte, error) {
	encoded, ok := strings.CutPrefix(string(d), "sha256:")
	size := 32
	if !ok {
		encoded, ok = strings.CutPrefix(string(d), "sha512:")
		size = 64
	}
	if !ok || len(encoded) != 2*size {
		return nil, fmt.Errorf("digest %.150q is neither sha256 nor sha512", string(d))
	}
	raw := make([]byte, size)
	for k := range raw {
		high, low := nibble(encoded[2*k]), nibble(encoded[2*k+1])
		if high|low > 15 {
			return nil, fmt.Errorf("digest %.150q is not lower-case hexadecimal", string(d))
		}
		raw[k] = high<<4 | low
	}
	return raw, nil
}

// nibble is the value of a lower-case hexadecimal digit, 255 of anything else.
func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// DigestOf is the digest that the tables hold as these bytes.
func DigestOf(raw []byte) digest.Digest {
	if len(raw) == 64 {
		return digest.NewDigestFromEncoded(digest.SHA512, hex.EncodeToString(raw))
	}
	return digest.NewDigestFromEncoded(digest.SHA256, hex.EncodeToString(raw))
}

package sbom

import (
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/projections/images"
)

// BuildKit names what is beside an image by these annotations of its descriptor in the
// index, and what it says by that of a layer (docs/attestations/attestation-storage.md).
const (
	referenceType   = "vnd.docker.reference.type"
	referenceDigest = "vnd.docker.reference.digest"
	attestation     = "attestation-manifest"
	predicateType   = "in-toto.io/predicate-type"
)

// PredicateTypes are those of SBOMs.
var PredicateTypes = []string{"https://spdx.dev/Document", "https://cyclonedx.org/bom"}

// maxChildren bounds the manifests of an index that are looked at: an image has at most
// 16 platforms.
const maxChildren = 64

// Missing says, for people, what of an image has no SBOM beside it; "" when all of it has
// one: each image of the index is described by an attestation of the same index that has a
// layer of such a type. read is a manifest of the repository; its error wraps
// images.ErrNotFound when there is none, and is returned for the image itself.
func Missing(of digest.Digest, read func(digest.Digest) ([]byte, error)) (string, error) {
	text, err := read(of)
	if err != nil {
		return "", err
	}
	index, err := images.ParseManifest(text)
	if err != nil {
		return "it cannot be read", nil
	}
	switch {
	case len(index.Manifests) == 0:
		return "it is pushed without one", nil
	case len(index.Manifests) > maxChildren:
		return fmt.Sprintf("its index has %d manifests, and at most %d are looked at", len(index.Manifests), maxChildren), nil
	}
	described := map[string]bool{}
	for _, child := range index.Manifests {
		if child.Annotations[referenceType] != attestation {
			continue
		}
		text, err := read(child.Digest)
		if errors.Is(err, images.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		m, err := images.ParseManifest(text)
		if err == nil && slices.ContainsFunc(m.Layers, func(l v1.Descriptor) bool { return slices.Contains(PredicateTypes, l.Annotations[predicateType]) }) {
			described[child.Annotations[referenceDigest]] = true
		}
	}
	for _, child := range index.Manifests {
		if child.Annotations[referenceType] == attestation || described[child.Digest.String()] {
			continue
		}
		if p := child.Platform; p != nil {
			return "there is none for " + p.OS + "/" + p.Architecture, nil
		}
		return "there is none for " + child.Digest.String(), nil
	}
	return "", nil
}

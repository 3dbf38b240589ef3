// Package sbom has what the hub knows of SBOMs: the image that makes them, and where
// BuildKit keeps them beside an image.
package sbom

import (
	"errors"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/repository"
)

// A Scanner is an image of this hub that makes SBOMs by BuildKit's protocol
// (docs/attestations/sbom-protocol.md there).
type Scanner struct {
	Repository string        // full name
	Tag        string        // looked up for each build; "" with a digest
	Digest     digest.Digest // "" with a tag
}

// ParseScanner reads NAMESPACE/NAME:TAG or NAMESPACE/NAME@sha256:…; with both the digest
// counts.
func ParseScanner(text string) (s Scanner, err error) {
	name, pinned, isPinned := strings.Cut(text, "@")
	name, tag, isTagged := strings.Cut(name, ":")
	n, err := repository.ParseName(name)
	switch {
	case err != nil:
		return s, err
	case isPinned && (digest.Digest(pinned).Validate() != nil || digest.Digest(pinned).Algorithm() != digest.SHA256):
		return s, errors.New("what comes behind the @ is no digest: write sha256: and 64 hexadecimal digits")
	case isTagged && !repository.ValidTag(tag), !isPinned && !isTagged:
		return s, errors.New("name an image of this hub, without the hub's host: NAMESPACE/NAME:TAG, or NAMESPACE/NAME@sha256:…")
	}
	s = Scanner{Repository: n.Full, Tag: tag, Digest: digest.Digest(pinned)}
	if isPinned {
		s.Tag = ""
	}
	return s, nil
}

// String is the scanner as people write it.
func (s Scanner) String() string {
	if s.Digest != "" {
		return s.Repository + "@" + s.Digest.String()
	}
	return s.Repository + ":" + s.Tag
}

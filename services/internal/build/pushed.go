package build

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/repository"
)

// maxBaseText bounds each text of a base image, in bytes.
const maxBaseText = 1000

// checkPushed refuses what no honest builder says of an image: others sign for it and
// act on it. ErrReport.
func checkPushed(p events.BuildPushed) error {
	if digest.Digest(p.Digest).Validate() != nil {
		return fmt.Errorf("%w: %.100q is no digest", ErrReport, p.Digest)
	}
	if len(p.Bases) > events.MaxBuildBases {
		return fmt.Errorf("%w: the image was made from %d others, more than %d", ErrReport, len(p.Bases), events.MaxBuildBases)
	}
	if len(p.Readme) > repository.MaxReadme || !utf8.ValidString(p.Readme) || strings.ContainsRune(p.Readme, 0) {
		return fmt.Errorf("%w: the README has %d bytes, or is no text", ErrReport, len(p.Readme))
	}
	for _, b := range p.Bases {
		if b.Name == "" || digest.Digest(b.Digest).Validate() != nil {
			return fmt.Errorf("%w: an image that it was made from has the name %.100q and the digest %.100q", ErrReport, b.Name, b.Digest)
		}
		for _, text := range []string{b.Name, b.Platform, b.Repository, b.Tag} {
			if len(text) > maxBaseText {
				return fmt.Errorf("%w: a text of an image that it was made from has %d bytes, more than %d", ErrReport, len(text), maxBaseText)
			}
		}
	}
	return nil
}

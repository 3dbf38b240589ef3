package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
)

// ErrHeld is what a *HeldError is.
var ErrHeld = errors.New("held by a release")

// A HeldError refuses to delete what a release of an application may need again. It is
// an ErrHeld.
type HeldError struct {
	Release string        // such as "release 3 of acme/shop"
	Digest  digest.Digest // of the manifest that the release names
	// Part is what was to be deleted and belongs to that manifest: a digest, or "tag" and a
	// tag, or "the repository". "" for the manifest itself.
	Part string
}

func (e *HeldError) Error() string {
	what := e.Digest.String()
	switch e.Part {
	case "":
	case wholeRepository:
		what += " of the repository"
	default:
		what += ", to which " + e.Part + " belongs"
	}
	return fmt.Sprintf("%s has %s: it can be deleted when the application has made as many newer releases as it keeps, or keeps fewer (hubledger apps set NAME --keep)", e.Release, what)
}

// Is makes it an ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

const wholeRepository = "the repository"

// MayDeleteRepository is a *HeldError when a release of an application needs an image of
// a repository, by its id.
func MayDeleteRepository(ctx context.Context, read Graph, repo string) error {
	pinned, err := read.Pinned(ctx, repo)
	for _, d := range slices.Sorted(maps.Keys(pinned)) {
		return &HeldError{Release: pinned[d], Digest: d, Part: wholeRepository}
	}
	return err
}

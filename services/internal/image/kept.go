package image

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/repository"
)

// Graph knows what belongs to what in a repository: images.Reader.
type Graph interface {
	// TagsOf lists the live tags that name one of the manifests, by manifest.
	TagsOf(ctx context.Context, repo string, ds []digest.Digest) (map[digest.Digest][]string, error)
	// Above lists the live indexes that name one of the manifests, and their subjects.
	Above(ctx context.Context, repo string, ds []digest.Digest) ([]digest.Digest, error)
	// Pinned are the manifests that applications keep for their releases, with what a
	// release is called.
	Pinned(ctx context.Context, repo string) (map[digest.Digest]string, error)
	// Beginning lists the live manifests whose digest begins so.
	Beginning(ctx context.Context, repo, text string) ([]digest.Digest, error)
}

// maxLevels bounds how far above a manifest a tag is looked for. An image, an index
// above it and signatures of signatures need a few levels. What is above a manifest
// is in the content that digests name, so nobody can push a tag further away.
const maxLevels = 100

// mayDelete is an *ImmutableError when an immutable tag needs the manifest, and a
// *HeldError when a release of an application does: when
// it names it, or something that it belongs to. To an index belong the manifests
// that it names; to an image belong its referrers, such as signatures and
// attestations, also those that tags such as sha256-….sig stand for.
func mayDelete(ctx context.Context, read Graph, repo string, policy events.RepositoryPolicy, d digest.Digest) error {
	pinned, err := read.Pinned(ctx, repo)
	if err != nil || len(policy.ImmutableTags) == 0 && len(pinned) == 0 {
		return err
	}
	immutable := repository.Immutable(policy)
	seen := map[digest.Digest]bool{d: true}
	level := []digest.Digest{d}
	for n := 0; n < maxLevels && len(level) > 0; n++ {
		above, err := read.Above(ctx, repo, level)
		if err != nil {
			return err
		}
		tags, err := read.TagsOf(ctx, repo, level)
		if err != nil {
			return err
		}
		for _, at := range level {
			if release := pinned[at]; release != "" {
				refused := &HeldError{Release: release, Digest: at}
				if at != d {
					refused.Part = d.String()
				}
				return refused
			}
			for _, tag := range tags[at] {
				if immutable.Has(tag) {
					refused := &ImmutableError{Tag: tag, Digest: at}
					if at != d {
						refused.Part = d.String()
					}
					return refused
				}
				signed, err := signedBy(ctx, read, repo, tag)
				if err != nil {
					return err
				}
				above = append(above, signed...)
			}
			if ctx.Err() != nil { // to match many tags takes a while
				return ctx.Err()
			}
		}
		level = nil
		for _, a := range above {
			if !seen[a] {
				seen[a] = true
				level = append(level, a)
			}
		}
	}
	return nil
}

// mayDeleteTag is mayDelete for a tag by which signatures of a manifest are found,
// and nil for other tags, which do not need each other.
func mayDeleteTag(ctx context.Context, read Graph, repo string, policy events.RepositoryPolicy, tag string) error {
	signed, err := signedBy(ctx, read, repo, tag)
	for _, d := range signed {
		if err == nil {
			err = mayDelete(ctx, read, repo, policy, d)
		}
	}
	var refused *ImmutableError
	if errors.As(err, &refused) {
		refused.Part = "tag " + tag
	}
	var held *HeldError
	if errors.As(err, &held) {
		held.Part = "tag " + tag
	}
	return err
}

// signedBy lists the manifests whose signatures a tag holds.
func signedBy(ctx context.Context, read Graph, repo, tag string) ([]digest.Digest, error) {
	short, ok := repository.SignatureSubject(tag)
	if !ok {
		return nil, nil
	}
	return read.Beginning(ctx, repo, short)
}

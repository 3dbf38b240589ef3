package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/cache"
)

// parseDigest accepts the two registered algorithms (distribution-spec, "Digests").
func parseDigest(s string) (digest.Digest, error) {
	d := digest.Digest(s)
	if _, err := images.DigestBytes(d); err != nil {
		return "", digestInvalid(s)
	}
	return d, nil
}

// isDigest tells a digest from a tag: a tag has no colon.
func isDigest(ref string) bool {
	for k := range len(ref) {
		if ref[k] == ':' {
			return true
		}
	}
	return false
}

// repository finds a live repository. A name in the cache needs no parsing.
func (s *Registry) repository(ctx context.Context, name string) (*images.Repository, error) {
	if repo, ok := s.cache.Repository(name); ok {
		return repo, nil
	}
	full, err := fullName(name)
	if err != nil {
		return nil, err
	}
	return retry(ctx, s, func() (*images.Repository, error) {
		fill := s.cache.Begin("")
		repo, err := s.Images.Repository(ctx, full)
		if errors.Is(err, images.ErrNotFound) {
			return nil, nameUnknown(name)
		}
		if err == nil {
			s.cache.SetRepository(fill, name, repo)
		}
		return repo, err
	})
}

// fullName is the one spelling of a repository's name by which leases and uploads
// are kept.
func fullName(name string) (string, error) {
	n, err := repository.ParseName(name)
	return n.Full, err
}

// retry asks again after the read model has caught up, if it was behind: what a
// client has just written must never look missing to it.
func retry[T any](ctx context.Context, s *Registry, ask func() (T, error)) (v T, err error) {
	// What the cache has needs no place to work in.
	if err := budget.Of(ctx).Work(ctx); err != nil {
		return v, err
	}
	at := s.View.Position()
	v, err = ask()
	if isNotFound(err) && command.Since(at, s.Log, s.View).Missed(ctx) {
		return ask()
	}
	return v, err
}

// manifest resolves a tag or a digest in a repository.
func (s *Registry) manifest(ctx context.Context, repo *images.Repository, ref string) (*cache.Manifest, error) {
	if m, ok := s.cache.Manifest(repo.ID, ref); ok {
		return m, nil
	}
	var d digest.Digest
	if isDigest(ref) {
		var err error
		if d, err = parseDigest(ref); err != nil {
			return nil, err
		}
	}
	if d == "" && !repository.ValidTag(ref) {
		return nil, manifestUnknown(ref) // no such tag can have been pushed
	}
	return retry(ctx, s, func() (*cache.Manifest, error) {
		fill := s.cache.Begin(repo.ID)
		var stored *images.Stored
		var err error
		if d != "" {
			stored, err = s.Images.Manifest(ctx, repo.ID, d)
		} else {
			stored, err = s.Images.ManifestByTag(ctx, repo.ID, ref)
		}
		if errors.Is(err, images.ErrNotFound) {
			return nil, manifestUnknown(ref)
		}
		if err != nil {
			return nil, err
		}
		m := cache.NewManifest(stored)
		s.cache.SetManifest(fill, ref, m)
		return m, nil
	})
}

// blob is the size of a blob that can be read under that name: a lease that has
// at least left to go, or a live manifest of the repository, holds it, and nothing
// else opens it.
func (s *Registry) blob(ctx context.Context, name string, d digest.Digest, left time.Duration) (int64, error) {
	repo, err := s.repository(ctx, name)
	switch {
	case err == nil:
		name = repo.Name
	case isUnknown(err):
		if name, err = fullName(name); err != nil {
			return 0, err
		}
	default:
		return 0, err
	}
	return s.blobIn(ctx, name, repo, d, left)
}

// seen is how long the lease of a blob has to go at least so that clients see the
// blob: who sees it does not upload it, and needs the time to push a manifest.
// Looking renews no lease, so that a blob that no manifest ever names leaves.
// Clients that do not see it any more upload it, and have a whole term again.
func (s *Registry) seen() time.Duration { return s.LeaseTerm / 2 }

// blobIn is blob for a full name that was looked up already; repo is nil when
// no repository has it.
func (s *Registry) blobIn(ctx context.Context, name string, repo *images.Repository, d digest.Digest, left time.Duration) (int64, error) {
	if repo != nil && s.cache.HoldsBlob(repo.ID, d) {
		return s.stat(ctx, d) // the cache knows that it may be read, not that its file is there and sound
	}
	return retry(ctx, s, func() (int64, error) { return s.findBlob(ctx, name, repo, d, left) })
}

// findBlob is blobIn past the cache.
func (s *Registry) findBlob(ctx context.Context, name string, repo *images.Repository, d digest.Digest, left time.Duration) (int64, error) {
	until, leased, err := s.Leases.Has(ctx, name, d)
	if err != nil {
		return 0, err
	}
	if leased && time.Until(until) >= left {
		return s.stat(ctx, d)
	}
	if ok, err := s.past.Readable(ctx, name, d, left > 0); err != nil {
		return 0, err
	} else if ok {
		return s.stat(ctx, d)
	}
	if repo == nil {
		return 0, blobUnknown(d.String())
	}
	fill := s.cache.Begin(repo.ID)
	held, err := s.Images.HoldsBlob(ctx, repo.ID, d)
	if err != nil {
		return 0, err
	}
	if !held {
		return 0, blobUnknown(d.String())
	}
	size, err := s.stat(ctx, d)
	if err == nil {
		s.cache.SetHoldsBlob(fill, d)
	}
	return size, err
}

// Upload is the size of a blob that can be read in a repository, and for half of a lease
// term more. The error wraps images.ErrNotFound when it cannot.
func (s *Registry) Upload(ctx context.Context, name string, d digest.Digest) (int64, error) {
	size, err := s.blob(ctx, name, d, s.seen())
	if isNotFound(err) {
		err = fmt.Errorf("%s: %w", d, images.ErrNotFound)
	}
	return size, err
}

// stat is the size of a blob that has a hold. When it is missing in the store all
// the same, the client has to push it again, and the operator is told in the log.
func (s *Registry) stat(ctx context.Context, d digest.Digest) (int64, error) {
	size, err := s.Blobs.Stat(ctx, d)
	if errors.Is(err, blobs.ErrNotFound) {
		s.Logger.Warn("a blob is missing in the store although a lease or manifest holds it; push it again", "digest", d)
		return 0, blobUnknown(d.String())
	}
	return size, err
}

// isUnknown says whether no repository has the name that was looked up.
func isUnknown(err error) bool {
	var p *problem
	return errors.As(err, &p) && p.Code == "NAME_UNKNOWN"
}

func isNotFound(err error) bool {
	var p *problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}

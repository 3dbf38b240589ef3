package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

// Tag lets a tag of a repository name a manifest that is there; nothing is recorded
// when it does already. The error wraps *image.ImmutableError, and images.ErrNotFound
// when the repository or the manifest is gone.
func (s *Registry) Tag(ctx context.Context, by command.By, name, tag string, d digest.Digest) error {
	repo, err := s.Images.Repository(ctx, name)
	if err != nil {
		return err
	}
	m, err := s.Images.Manifest(ctx, repo.ID, d)
	if err != nil {
		return err
	}
	now, err := s.Images.ManifestByTag(ctx, repo.ID, tag)
	if err != nil && !errors.Is(err, images.ErrNotFound) {
		return err
	}
	if err == nil && now.Digest == d {
		return nil
	}
	id := idOf(repo)
	seq, err := image.PushTags(ctx, s.Log, by, image.Push{Tags: []string{tag}, Known: true, ImagePushed: events.ImagePushed{Namespace: id.Namespace, Repository: id.Repository, Digest: d, MediaType: m.MediaType}},
		repository.Immutable(repo.Policy), s.isLive(repo.ID))
	if err != nil {
		return err
	}
	return s.awaitVisible(ctx, seq)
}

// ManifestBytes is a manifest of a repository as it was pushed. The error wraps
// images.ErrNotFound when there is none.
func (s *Registry) ManifestBytes(ctx context.Context, name string, d digest.Digest) ([]byte, error) {
	repo, err := s.Images.Repository(ctx, name)
	if err != nil {
		return nil, err
	}
	m, err := s.Images.Manifest(ctx, repo.ID, d)
	if err != nil {
		return nil, err
	}
	return m.Bytes, nil
}

// Tagged is the manifest that a tag of a repository names, as of all that the log has
// now, and the event that made it so. images.ErrNotFound, also while the two differ
// because the tag is being moved.
func (s *Registry) Tagged(ctx context.Context, name, tag string) (digest.Digest, *events.Event, error) {
	s.catchUp(ctx)
	repo, err := s.Images.Repository(ctx, name)
	if err != nil {
		return "", nil, err
	}
	m, err := s.Images.ManifestByTag(ctx, repo.ID, tag)
	if err != nil {
		return "", nil, err
	}
	last, err := s.Log.Last(ctx, events.TagSubject(repo.Namespace, repo.ID, tag))
	if err != nil || last == nil {
		return "", nil, cmp.Or(err, images.ErrNotFound)
	}
	p, err := events.Decode(last)
	if err != nil {
		return "", nil, err
	}
	if d, ok := image.NamedBy(p); !ok || d != m.Digest {
		return "", nil, images.ErrNotFound
	}
	return m.Digest, last, nil
}

// RollBack lets a tag name an image again that it named before, by to. from is what the
// caller thinks that it names now, "" for whatever it does. Nothing is recorded when it names
// to already; the sequence is that of the tag's latest event then.
//
// What is deleted or swept does not come back by this: image.ErrManifestDeleted, ErrTooLate,
// ErrSwept, and an *image.IncompleteError for an index of which a manifest is missing. Besides
// image.ErrNeverNamed, *image.MovedError and *image.ImmutableError.
func (s *Registry) RollBack(ctx context.Context, by command.By, name, tag string, to, from digest.Digest) (uint64, error) {
	repo, err := s.repository(ctx, name)
	if err != nil {
		return 0, err
	}
	s.catchUp(ctx)
	r := image.Rollback{Tag: tag, To: to, From: from}
	if r.Event, r.Since, err = s.Images.TagNamed(ctx, repo.ID, tag, to); errors.Is(err, images.ErrNotFound) {
		return 0, fmt.Errorf("%s:%s has never named %s: %w", name, tag, to, image.ErrNeverNamed)
	}
	if err != nil {
		return 0, err
	}
	if err := s.mayRollBack(ctx, repo, to); err != nil {
		return 0, err
	}
	needs, err := s.Images.ManifestBlobs(ctx, repo.ID, to)
	if err != nil {
		return 0, err
	}
	return s.restore(ctx, repo.Name, needs, func(ctx context.Context) (uint64, error) {
		return image.RollBack(ctx, s.Log, by, idOf(repo), r, repository.Immutable(repo.Policy), s.isLive(repo.ID))
	})
}

// mayRollBack says whether an image is there as a whole, and what to do when it is not.
func (s *Registry) mayRollBack(ctx context.Context, repo *images.Repository, d digest.Digest) error {
	fates, err := s.Images.Fates(ctx, repo.ID, []digest.Digest{d})
	if err != nil {
		return err
	}
	if err := s.mayReturn(repo, d, fates[d]); err != nil {
		return err
	}
	m, err := s.Images.ManifestDetail(ctx, repo.ID, d)
	if err != nil {
		return err
	}
	children := m.Parsed.Children()
	below, err := s.Images.Fates(ctx, repo.ID, children)
	if err != nil {
		return err
	}
	for _, child := range children {
		if f, pushed := below[child]; pushed && !f.Live() {
			return &image.IncompleteError{Index: d, Child: child, Err: s.mayReturn(repo, child, f)}
		}
	}
	return nil
}

// mayReturn says why a manifest with that fate is not there, nil when it is.
func (s *Registry) mayReturn(repo *images.Repository, d digest.Digest, f images.Fate) error {
	switch {
	case f.Live():
		return nil
	case f.Swept > 0:
		return fmt.Errorf("%s@%s was deleted, and its content is gone, swept by event %d; push it again: %w", repo.Name, d, f.Swept, ErrSwept)
	case time.Now().After(f.Deletion.Time.Add(s.UndeleteWindow)):
		return fmt.Errorf("%s@%s was deleted, and cannot be restored any more; push it again: %w", repo.Name, d, ErrTooLate)
	}
	return &image.ManifestDeletedError{Digest: d}
}

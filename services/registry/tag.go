package registry

import (
	"cmp"
	"context"
	"errors"

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

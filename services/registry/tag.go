package registry

import (
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

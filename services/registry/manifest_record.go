package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/cache"
	"hubledger/services/registry/manifest"
)

// record promises that the push is in the log, within the quota and without
// moving an immutable tag, and that it can be pulled.
//
// It looks the repository up again, because making blobs durable can take
// long: the push goes by the policy of this moment. A repository that was
// deleted since check takes the push along, even when another one has its name
// by now: that one does not have what an index names.
func (s *Registry) record(ctx context.Context, p *pushRequest, found *pushCheck) error {
	repo, err := s.repository(ctx, p.name.Full)
	if err != nil && !isUnknown(err) {
		return err
	}
	if found.repo != nil && (repo == nil || repo.ID != found.repo.ID) {
		return nameUnknown(p.name.Full)
	}
	release, err := s.reserve(ctx, p, repo, found)
	if err != nil {
		return err
	}
	defer release()
	id, immutable := repository.ID{}, repository.ImmutableTags{}
	if repo != nil {
		id, immutable = idOf(repo), repository.Immutable(repo.Policy)
	} else if id, err = repository.Ensure(ctx, s.Log, p.by, p.name, s.DefaultVisibility); err != nil {
		return err
	}
	if err := s.recordIn(ctx, p, found, repo, id, immutable); err != nil {
		return err
	}
	// The one race that only the log decides: a deletion of the repository that
	// stands before the push has taken it along.
	repo, err = s.repository(ctx, p.name.Full)
	if err == nil && repo.ID != id.Repository {
		return nameUnknown(p.name.Full)
	}
	return err
}

// recordIn appends the events of a push to the repository of that id, which repo
// is unless the push creates it, and waits until they are visible.
//
// What is known may change before the events are in the log: another push can
// give the manifest another media type, and a manifest that an index names can
// be deleted, which only a push with the index's bytes brings back. Then the
// push is recorded once more, with its bytes.
func (s *Registry) recordIn(ctx context.Context, p *pushRequest, found *pushCheck, repo *images.Repository, id repository.ID, immutable repository.ImmutableTags) error {
	push := image.Push{Tags: p.tags, ImagePushed: events.ImagePushed{Namespace: id.Namespace, Repository: id.Repository,
		Digest: p.digest, MediaType: p.mediaType, Manifest: p.bytes, Absent: found.absent, Blobs: found.elsewhere}}
	var err error
	if push.Known, err = s.isKnown(ctx, p, found, repo); err != nil {
		return err
	}
	for {
		if !push.Known {
			push.Platform, push.Created = s.describe(ctx, p.manifest)
			push.NewLayers = s.newLayers(ctx, repo, p.manifest)
		}
		seq, err := image.PushTags(ctx, s.Log, p.by, push, immutable, s.isLive(id.Repository))
		if err != nil {
			return refuseImmutable(p.name.Full, fmt.Errorf("record the push of %s to %s: %w", p.digest, p.name.Full, err), "push another tag")
		}
		if err := s.awaitVisible(ctx, seq); err != nil {
			return fmt.Errorf("the push of %s to %s is recorded as event %d, but not visible yet: %w", p.digest, p.name.Full, seq, err)
		}
		if !push.Known {
			return nil
		}
		changed, err := s.hasChanged(ctx, p, found, repo)
		if err != nil || !changed {
			return err
		}
		push.Known, push.Tags = false, []string{""}
	}
}

// describe reads platform and creation time from an image's config, as far as
// they can be read.
func (s *Registry) describe(ctx context.Context, m *images.Manifest) (*events.Platform, *time.Time) {
	d, ok := manifest.ConfigOf(m)
	if !ok {
		return nil, nil
	}
	f, _, err := s.Blobs.Open(ctx, d)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	return manifest.Describe(f)
}

// newLayers counts the layers of an image that the repository, nil for a new one, does not
// have: nil where there are no layers, and where they cannot be counted, which refuses no push.
func (s *Registry) newLayers(ctx context.Context, repo *images.Repository, m *images.Manifest) *int64 {
	layers := m.LayerDigests()
	if len(layers) == 0 {
		return nil
	}
	n := int64(len(layers))
	if repo != nil {
		held, err := s.Images.HeldOf(ctx, repo.ID, layers)
		if err != nil {
			s.Logger.Warn("the new layers of a push could not be counted", "repository", repo.ID, "error", err)
			return nil
		}
		n -= int64(len(held))
	}
	return &n
}

// isKnown says whether the repository has the manifest as it is pushed. One that
// is not visible yet counts as not known: then its bytes are in the log twice.
func (s *Registry) isKnown(ctx context.Context, p *pushRequest, found *pushCheck, repo *images.Repository) (bool, error) {
	if repo == nil {
		return false, nil
	}
	m, there := s.cache.Manifest(repo.ID, p.digest.String())
	if !there {
		stored, err := s.Images.Manifest(ctx, repo.ID, p.digest)
		if errors.Is(err, images.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		m = cache.NewManifest(stored)
	}
	if m.TypeHeader[0] != p.mediaType {
		return false, nil
	}
	if len(found.optional) == 0 {
		return true, nil
	}
	// What was absent at the first push may be there now, and has to be held.
	held, err := s.Images.ManifestBlobs(ctx, repo.ID, p.digest)
	for _, d := range found.optional {
		if !slices.Contains(held, d) {
			return false, err
		}
	}
	return true, err
}

// hasChanged says whether the manifest is there otherwise than it was pushed. One
// that is not there any more was deleted after the push.
func (s *Registry) hasChanged(ctx context.Context, p *pushRequest, found *pushCheck, repo *images.Repository) (bool, error) {
	m, err := s.manifest(ctx, repo, p.digest.String())
	if err != nil {
		if isNotFound(err) {
			err = nil
		}
		return false, err
	}
	if m.TypeHeader[0] != p.mediaType {
		return true, nil
	}
	missing, err := s.missingChildren(ctx, found)
	return len(missing) > 0, err
}

// isLive says, for image.PushTags, whether a tag is live once the read model
// has the event of that sequence.
func (s *Registry) isLive(repo string) func(ctx context.Context, tag string, seq uint64) (bool, error) {
	return func(ctx context.Context, tag string, seq uint64) (bool, error) {
		if err := s.awaitVisible(ctx, seq); err != nil {
			return false, err
		}
		_, err := s.Images.ManifestByTag(ctx, repo, tag)
		if errors.Is(err, images.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
}

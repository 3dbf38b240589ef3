package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/leases"
)

// putManifest is a push (distribution-spec, "Pushing Manifests"). When it
// answers 201, the manifest's event and every blob it names are on disk.
func (s *Registry) putManifest(w http.ResponseWriter, r *http.Request, to route) error {
	p, err := readPush(w, r, to)
	if err != nil {
		return err
	}
	if err := s.push(r.Context(), p); err != nil {
		return err
	}
	h := w.Header()
	if p.tagsInQuery {
		h["Oci-Tag"] = p.tags
	}
	h.Set("Location", "/v2/"+to.name+"/manifests/"+p.digest.String())
	h.Set("Docker-Content-Digest", p.digest.String())
	if p.manifest.Subject != nil {
		h.Set("OCI-Subject", p.manifest.Subject.Digest.String())
	}
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	s.Metrics.Pushes.Inc()
	s.Logger.Debug("pushed", "repository", p.name.Full, "reference", to.ref, "digest", p.digest)
	return nil
}

// push takes a push through its five steps. From the pin on it is finished,
// whether the client still waits or not.
func (s *Registry) push(ctx context.Context, p *pushRequest) (err error) {
	found, err := s.check(ctx, p)
	if err != nil {
		return err
	}
	ctx, cancel := s.decision(ctx)
	defer cancel()
	pin, err := s.pin(ctx, p, found)
	if err != nil {
		return err
	}
	defer s.unpin(pin, &err)
	if err := s.recheck(ctx, p, found); err != nil {
		return err
	}
	if err := s.makeDurable(ctx, p, found); err != nil {
		return err
	}
	return s.record(ctx, p, found)
}

// A pushCheck is what check has found out about a push.
type pushCheck struct {
	repo   *images.Repository // nil: the push creates it
	blobs  []v1.Descriptor    // blobs that the manifest names and that are there, each once
	absent []digest.Digest    // foreign layers that were not pushed
}

// check promises that the repository may name everything that the manifest
// names, and that all of it was there a moment ago. It looks the repository up
// for the next three steps as well.
func (s *Registry) check(ctx context.Context, p *pushRequest) (*pushCheck, error) {
	repo, err := s.repository(ctx, p.name.Full)
	if err != nil && !isUnknown(err) {
		return nil, err
	}
	found := &pushCheck{repo: repo}
	missing, err := s.checkBlobs(ctx, p, found)
	if err != nil {
		return nil, err
	}
	children, err := s.missingChildren(ctx, repo, p.manifest)
	if err != nil {
		return nil, err
	}
	if missing = append(missing, children...); len(missing) > 0 {
		return nil, missing
	}
	return found, nil
}

// pin promises that from here on garbage collection takes none of the blobs
// until the push is projected: neither those of the manifest nor, because an
// index brings back what it names, those of an index's manifests. It waits for
// the end of a collection that is taking one of them; recheck then misses it.
func (s *Registry) pin(ctx context.Context, p *pushRequest, found *pushCheck) (leases.Pin, error) {
	children, err := s.childBlobs(ctx, found.repo, p.manifest)
	if err != nil {
		return "", err
	}
	ds := append(digestsOf(found.blobs), children...)
	for {
		pin, err := s.Leases.Pin(ctx, ds...)
		var leaving *leases.LeavingError
		if !errors.As(err, &leaving) {
			return pin, err
		}
		for _, d := range leaving.Digests {
			if err := s.Leases.WaitCleared(ctx, d); err != nil {
				return "", err
			}
		}
	}
}

// recheck promises that what check has found is still there now that it is
// pinned: between the two, garbage collection can have taken a blob, and
// somebody can have deleted a manifest that the index names.
func (s *Registry) recheck(ctx context.Context, p *pushRequest, found *pushCheck) error {
	for _, d := range found.blobs {
		if size, err := s.Blobs.Stat(ctx, d.Digest); err != nil || size != d.Size {
			return fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
				"a blob of the manifest is gone since the push began: upload it again").with(map[string]string{"digest": d.Digest.String()})
		}
	}
	missing, err := s.missingChildren(ctx, found.repo, p.manifest)
	if err == nil && len(missing) > 0 {
		return missing
	}
	return err
}

// makeDurable promises that the blobs survive a loss of power.
func (s *Registry) makeDurable(ctx context.Context, p *pushRequest, found *pushCheck) error {
	if err := s.Blobs.Sync(ctx, digestsOf(found.blobs)...); err != nil {
		return fmt.Errorf("make the blobs of %s durable: %w", p.digest, err)
	}
	return nil
}

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
	release, err := s.reserve(ctx, p, repo, found.absent)
	if err != nil {
		return err
	}
	defer release()
	id, immutable := repository.ID{}, repository.ImmutableTags{}
	if repo != nil {
		id, immutable = idOf(repo), repository.Immutable(repo.Policy)
	} else if id, err = repository.Ensure(ctx, s.Log, by(p.who), p.name, s.DefaultVisibility); err != nil {
		return err
	}
	e := events.ImagePushed{Namespace: id.Namespace, Repository: id.Repository, Digest: p.digest, MediaType: p.mediaType,
		Manifest: p.bytes, Absent: found.absent}
	e.Platform, e.Created = s.describe(ctx, p.manifest)
	seq, err := image.PushTags(ctx, s.Log, by(p.who), e, p.tags, immutable, s.isLive(id.Repository))
	if err != nil {
		return refuseImmutable(p.name.Full, fmt.Errorf("record the push of %s to %s: %w", p.digest, p.name.Full, err), "push another tag")
	}
	if err := s.awaitVisible(ctx, seq); err != nil {
		return fmt.Errorf("the push of %s to %s is recorded as event %d, but not visible yet: %w", p.digest, p.name.Full, seq, err)
	}
	// The one race that only the log decides: a deletion of the repository that
	// stands before the push has taken it along.
	repo, err = s.repository(ctx, p.name.Full)
	if err == nil && repo.ID != id.Repository {
		return nameUnknown(p.name.Full)
	}
	return err
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

package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/budget"
	"hubledger/services/registry/leases"
)

// putManifest is a push (distribution-spec, "Pushing Manifests"). When it
// answers 201, the manifest's event and every blob it names are on disk.
func (s *Registry) putManifest(w http.ResponseWriter, r *http.Request, to route) error {
	p, err := readPush(w, r, to)
	if err != nil {
		return err
	}
	if err := budget.Of(r.Context()).Work(r.Context()); err != nil {
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
	blobs  []digest.Digest    // that the manifest names and that are there, each once
	absent []digest.Digest    // foreign layers that were not pushed
	// optional are blobs that the manifest could be pushed without, and elsewhere
	// those of them that stand where an index has manifests, or as subject.
	optional, elsewhere []digest.Digest
	children            []digest.Digest         // manifests that the manifest names
	below               []digest.Digest         // what these name
	sizes               map[digest.Digest]int64 // of all that is there, in bytes
}

func (f *pushCheck) add(blob digest.Digest, size int64) {
	f.blobs = append(f.blobs, blob)
	f.sizes[blob] = size
}

func (f *pushCheck) isChild(d digest.Digest) bool {
	return len(f.children) > 0 && f.children[len(f.children)-1] == d
}

// check promises that the repository may name everything that the manifest
// names, and that all of it was there a moment ago. It looks the repository up
// for the next three steps as well.
func (s *Registry) check(ctx context.Context, p *pushRequest) (*pushCheck, error) {
	repo, err := s.repository(ctx, p.name.Full)
	if err != nil && !isUnknown(err) {
		return nil, err
	}
	if p.into != "" && (repo == nil || repo.ID != p.into) {
		return nil, nameUnknown(p.name.Full)
	}
	found := &pushCheck{repo: repo}
	missing, err := s.checkNamed(ctx, p, found)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, missing
	}
	found.below, err = s.childBlobs(ctx, found)
	return found, err
}

// pin promises that from here on garbage collection takes none of the blobs
// until the push is projected: neither those of the manifest nor, because an
// index brings back what it names, those of an index's manifests. It waits for
// the end of a collection that is taking one of them; recheck then misses it.
func (s *Registry) pin(ctx context.Context, p *pushRequest, found *pushCheck) (leases.Pin, error) {
	ds := slices.Concat(found.blobs, found.below)
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
		if _, err := s.Blobs.Stat(ctx, d); err != nil {
			return fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
				"a blob of the manifest is gone since the push began: upload it again").with(map[string]string{"digest": d.String()})
		}
	}
	missing, err := s.missingChildren(ctx, found)
	if err == nil && len(missing) > 0 {
		return missing
	}
	return err
}

// makeDurable promises that the blobs survive a loss of power.
func (s *Registry) makeDurable(ctx context.Context, p *pushRequest, found *pushCheck) error {
	if err := s.Blobs.Sync(ctx, found.blobs...); err != nil {
		return fmt.Errorf("make the blobs of %s durable: %w", p.digest, err)
	}
	return nil
}

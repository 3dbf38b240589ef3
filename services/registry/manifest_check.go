package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/projections/images"
)

// check says which blobs the manifest needs, or what it names that is not there.
func (s *Registry) check(ctx context.Context, name string, p *push) ([]v1.Descriptor, error) {
	var needs []v1.Descriptor
	var missing problems
	seen := map[digest.Digest]bool{}
	required := requiredBlobs(p.parsed)
	for _, d := range p.parsed.Blobs() {
		if seen[d.Digest] {
			continue
		}
		seen[d.Digest] = true
		size, err := s.named(ctx, name, d.Digest)
		var unknown *problem
		switch {
		case errors.As(err, &unknown) && !required[d.Digest]:
			p.Absent = append(p.Absent, d.Digest)
		case errors.As(err, &unknown):
			missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
				"the manifest names a blob that is not in this repository").with(map[string]string{"digest": d.Digest.String()}))
		case err != nil:
			return nil, err
		case size != d.Size:
			missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_INVALID",
				fmt.Sprintf("blob %s has %d bytes, but the manifest says %d", d.Digest, size, d.Size)))
		default:
			needs = append(needs, d)
		}
	}
	absent, err := s.checkChildren(ctx, name, p)
	if err != nil {
		return nil, err
	}
	if missing = append(missing, absent...); len(missing) > 0 {
		return nil, missing
	}
	return needs, nil
}

// named is the size of a blob that a push to the repository may name. It may
// also be one that an image of the repository held until less than a lease
// term ago: whoever has seen a blob there must have the time to push, whatever
// others delete. Garbage collection leaves it for as long.
func (s *Registry) named(ctx context.Context, name string, d digest.Digest) (int64, error) {
	size, err := s.blob(ctx, name, d)
	if !isNotFound(err) {
		return size, err
	}
	repo, rerr := s.repository(ctx, name)
	if rerr != nil {
		return 0, err
	}
	held, rerr := s.Read.HeldBlobSince(ctx, repo.ID, d, time.Now().Add(-s.LeaseTerm))
	if rerr != nil {
		return 0, rerr
	}
	if !held {
		return 0, err
	}
	return s.stat(ctx, d)
}

// checkChildren: an index names manifests of its repository. One that is not
// there is refused, unless the repository's policy allows sparse indexes.
func (s *Registry) checkChildren(ctx context.Context, name string, p *push) (missing problems, err error) {
	if len(p.parsed.Manifests) == 0 {
		return nil, nil
	}
	repo, err := s.repository(ctx, name)
	if err != nil && !isUnknown(err) {
		return nil, err
	}
	for _, d := range p.parsed.Manifests {
		if repo != nil {
			_, err := s.manifest(ctx, repo, d.Digest.String())
			if err == nil {
				continue
			}
			if !isNotFound(err) {
				return nil, err
			}
			if repo.Policy.SparseIndexes {
				if err := s.checkRevival(ctx, repo, d.Digest); err != nil {
					return nil, err
				}
				continue
			}
		}
		missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
			"the index names a manifest that is not in this repository").with(map[string]string{"digest": d.Digest.String()}))
	}
	return missing, nil
}

// childBlobs are the blobs of the manifests that an index names, as far as
// they are there.
func (s *Registry) childBlobs(ctx context.Context, name string, p *push) ([]digest.Digest, error) {
	if len(p.parsed.Manifests) == 0 {
		return nil, nil
	}
	repo, err := s.repository(ctx, name)
	if isUnknown(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []digest.Digest
	for _, d := range p.parsed.Manifests {
		blobs, err := s.Read.ManifestBlobs(ctx, repo.ID, d.Digest)
		if err != nil && !errors.Is(err, images.ErrNotFound) {
			return nil, err
		}
		all = append(all, blobs...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// checkRevival: an index brings back what it names. A manifest that was
// deleted here must not come back without its content.
func (s *Registry) checkRevival(ctx context.Context, repo *images.Repository, d digest.Digest) error {
	known, err := s.Read.WasPushed(ctx, repo.ID, d)
	if err != nil || !known {
		return err
	}
	return fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
		"the index names a manifest that was deleted here: restore it or push it again first").with(map[string]string{"digest": d.String()})
}

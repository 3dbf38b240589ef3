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

// checkBlobs sorts the blobs that the manifest names into found, and reports
// those that are missing or have another size. Foreign layers may be missing.
func (s *Registry) checkBlobs(ctx context.Context, p *pushRequest, found *pushCheck) (missing problems, err error) {
	seen := map[digest.Digest]bool{}
	required := requiredBlobs(p.manifest)
	for _, d := range p.manifest.Blobs() {
		if seen[d.Digest] {
			continue
		}
		seen[d.Digest] = true
		size, err := s.blobToPush(ctx, p.name.Full, found.repo, d.Digest)
		var unknown *problem
		switch {
		case errors.As(err, &unknown) && !required[d.Digest]:
			found.absent = append(found.absent, d.Digest)
		case errors.As(err, &unknown):
			missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
				"the manifest names a blob that is not in this repository").with(map[string]string{"digest": d.Digest.String()}))
		case err != nil:
			return nil, err
		case size != d.Size:
			missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_INVALID",
				fmt.Sprintf("blob %s has %d bytes, but the manifest gives its size as %d", d.Digest, size, d.Size)))
		default:
			found.blobs = append(found.blobs, d)
			if !required[d.Digest] {
				found.optional = append(found.optional, d.Digest)
			}
		}
	}
	return missing, nil
}

// blobToPush is the size of a blob that a push to the repository may name: one
// that can be read there, or one that an image of the repository held until
// less than a lease term ago. A client that has seen a blob there must have the
// time to push, whatever others delete; garbage collection leaves the blob for
// as long.
func (s *Registry) blobToPush(ctx context.Context, name string, repo *images.Repository, d digest.Digest) (int64, error) {
	size, err := s.blobIn(ctx, name, repo, d, 0)
	if repo == nil || !isNotFound(err) {
		return size, err
	}
	held, herr := s.Images.HeldBlobSince(ctx, repo.ID, d, time.Now().Add(-s.LeaseTerm))
	if herr != nil {
		return 0, herr
	}
	if !held {
		return 0, err
	}
	return s.stat(ctx, d)
}

// maxChildBytes bounds the manifests that an index names, all of which are read
// for a push of it.
const maxChildBytes = 16 * MaxManifestSize

// missingChildren reports the manifests that an index names and that are not in
// its repository. Where the repository's policy allows sparse indexes, only
// those that were deleted there.
func (s *Registry) missingChildren(ctx context.Context, repo *images.Repository, index *images.Manifest) (missing problems, err error) {
	bytes := 0
	for _, d := range index.Children() {
		message := "the index names a manifest that is not in this repository"
		if repo != nil {
			m, err := s.manifest(ctx, repo, d.String())
			if err == nil {
				if bytes += len(m.Bytes); bytes > maxChildBytes {
					return nil, manifestInvalid(fmt.Sprintf("the manifests that an index names have at most %d bytes together", maxChildBytes))
				}
				continue
			}
			if !isNotFound(err) {
				return nil, err
			}
			if repo.Policy.SparseIndexes {
				// An index brings back what it names. A manifest that was deleted here
				// must not come back without its content.
				deleted, err := s.Images.WasPushed(ctx, repo.ID, d)
				if err != nil {
					return nil, err
				}
				if !deleted {
					continue
				}
				message = "the index names a manifest that was deleted here: restore it or push it again first"
			}
		}
		missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", message).with(map[string]string{"digest": d.String()}))
	}
	return missing, nil
}

// childBlobs are the blobs that the manifests name which an index names, as far as
// these are there.
func (s *Registry) childBlobs(ctx context.Context, repo *images.Repository, index *images.Manifest) ([]digest.Digest, error) {
	if repo == nil {
		return nil, nil
	}
	var all []digest.Digest
	for _, d := range index.Children() {
		blobs, err := s.Images.NamedBlobs(ctx, repo.ID, d)
		if err != nil && !errors.Is(err, images.ErrNotFound) {
			return nil, err
		}
		all = append(all, blobs...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func digestsOf(list []v1.Descriptor) []digest.Digest {
	ds := make([]digest.Digest, len(list))
	for k := range list {
		ds[k] = list[k].Digest
	}
	return ds
}

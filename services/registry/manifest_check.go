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
	"hubledger/services/registry/manifest"
)

// checkNamed sorts what the manifest names into found, and reports what is missing
// or has another size. Foreign layers and the subject may be missing.
func (s *Registry) checkNamed(ctx context.Context, p *pushRequest, found *pushCheck) (missing problems, err error) {
	found.sizes = map[digest.Digest]int64{}
	if missing, err = s.checkBlobs(ctx, p, found); err != nil {
		return nil, err
	}
	children, err := s.checkChildren(ctx, p, found)
	if err != nil {
		return nil, err
	}
	missing = append(missing, children...)
	if d := p.manifest.Subject; d != nil {
		n := len(found.children)
		if _, err := s.findElsewhere(ctx, p, found, *d); err != nil {
			return nil, err
		}
		found.children = found.children[:n] // it may be missing, and may be deleted
	}
	wrong := map[digest.Digest]bool{}
	for _, d := range p.manifest.Named() {
		if size, there := found.sizes[d.Digest]; there && size != d.Size && !wrong[d.Digest] {
			wrong[d.Digest] = true
			missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_INVALID",
				fmt.Sprintf("%s has %d bytes, but the manifest gives its size as %d", d.Digest, size, d.Size)))
		}
	}
	return missing, nil
}

// checkBlobs looks for the config and the layers.
func (s *Registry) checkBlobs(ctx context.Context, p *pushRequest, found *pushCheck) (missing problems, err error) {
	seen := map[digest.Digest]bool{}
	required := manifest.Required(p.manifest)
	for _, d := range p.manifest.Blobs() {
		if seen[d.Digest] {
			continue
		}
		seen[d.Digest] = true
		size, err := s.blobToPush(ctx, p.name.Full, found.repo, d.Digest)
		switch {
		case isProblem(err) && !required[d.Digest]:
			found.absent = append(found.absent, d.Digest)
		case isProblem(err):
			missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
				"the manifest names a blob that is not in this repository").with(map[string]string{"digest": d.Digest.String()}))
		case err != nil:
			return nil, err
		default:
			found.add(d.Digest, size)
			if !required[d.Digest] {
				found.optional = append(found.optional, d.Digest)
			}
		}
	}
	return missing, nil
}

func isProblem(err error) bool {
	var p *problem
	return errors.As(err, &p)
}

// checkChildren looks for the manifests that an index names, and for the blobs
// that it names among them, as the older cache of BuildKit does. What is in the
// repository neither as the one nor as the other is missing, unless the
// repository's policy allows sparse indexes and it was not deleted there.
func (s *Registry) checkChildren(ctx context.Context, p *pushRequest, found *pushCheck) (missing problems, err error) {
	seen := map[digest.Digest]bool{}
	bytes := int64(0)
	for _, d := range p.manifest.Manifests {
		if seen[d.Digest] {
			continue
		}
		seen[d.Digest] = true
		there, err := s.findElsewhere(ctx, p, found, d)
		if err != nil {
			return nil, err
		}
		if there {
			if found.isChild(d.Digest) {
				if bytes += found.sizes[d.Digest]; bytes > maxChildBytes {
					return nil, manifestInvalid(fmt.Sprintf("the manifests that an index names have at most %d bytes together", maxChildBytes))
				}
			}
			continue
		}
		message := "the index names a manifest that is not in this repository"
		if found.repo != nil && found.repo.Policy.SparseIndexes {
			// An index brings back what it names. A manifest that was deleted here
			// must not come back without its content.
			deleted, err := s.Images.WasPushed(ctx, found.repo.ID, d.Digest)
			if err != nil {
				return nil, err
			}
			if !deleted {
				continue
			}
			message = "the index names a manifest that was deleted here: restore it or push it again first"
		}
		missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", message).with(map[string]string{"digest": d.Digest.String()}))
	}
	return missing, nil
}

// findElsewhere looks for what a descriptor names that does not say whether that
// is a manifest or a blob. Its media type decides where to look first.
func (s *Registry) findElsewhere(ctx context.Context, p *pushRequest, found *pushCheck, d v1.Descriptor) (there bool, err error) {
	if found.repo != nil {
		m, err := s.manifest(ctx, found.repo, d.Digest.String())
		if err == nil {
			found.children = append(found.children, d.Digest)
			found.sizes[d.Digest] = int64(len(m.Bytes))
			there = true
		} else if !isNotFound(err) {
			return false, err
		}
	}
	if manifest.IsType(d.MediaType) {
		return there, nil
	}
	size, err := s.blobToPush(ctx, p.name.Full, found.repo, d.Digest)
	switch {
	case err == nil:
		if _, known := found.sizes[d.Digest]; !known || there {
			found.add(d.Digest, size)
			found.elsewhere = append(found.elsewhere, d.Digest)
			found.optional = append(found.optional, d.Digest)
		}
		return true, nil
	case isProblem(err):
		return there, nil
	}
	return false, err
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
const maxChildBytes = 16 * manifest.MaxSize

// missingChildren reports the manifests that an index names and that have gone
// since they were found.
func (s *Registry) missingChildren(ctx context.Context, found *pushCheck) (missing problems, err error) {
	for _, d := range found.children {
		_, err := s.manifest(ctx, found.repo, d.String())
		switch {
		case isNotFound(err):
			missing = append(missing, fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
				"the index names a manifest that is not in this repository").with(map[string]string{"digest": d.String()}))
		case err != nil:
			return nil, err
		}
	}
	return missing, nil
}

// childBlobs are the blobs that the manifests name which an index names.
func (s *Registry) childBlobs(ctx context.Context, found *pushCheck) ([]digest.Digest, error) {
	var all []digest.Digest
	for _, d := range found.children {
		blobs, err := s.Images.Named(ctx, found.repo.ID, d)
		if err != nil && !errors.Is(err, images.ErrNotFound) {
			return nil, err
		}
		all = append(all, blobs...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

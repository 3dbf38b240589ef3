package registry

import (
	"bytes"
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/manifest"
)

// Attach puts an artifact of the hub's own beside an image of a repository: it is pushed
// as any other referrer, and is there when Attach returns. The digest is that of its
// manifest. Nothing is recorded when it is there already. It counts in the quota of its
// namespace, but is not refused because of it: the image that it belongs to was let in.
// The error wraps images.ErrNotFound when the repository or the image is gone.
func (s *Registry) Attach(ctx context.Context, by command.By, name string, of digest.Digest, a image.Artifact) (digest.Digest, error) {
	repo, err := s.Images.Repository(ctx, name)
	if err != nil {
		return "", err
	}
	m, err := s.Images.Manifest(ctx, repo.ID, of)
	if err != nil {
		return "", err
	}
	p := &pushRequest{by: by, tags: []string{""}, into: repo.ID}
	if p.name, err = repository.ParseName(name); err != nil {
		return "", err
	}
	if p.bytes, err = a.Manifest(v1.Descriptor{MediaType: m.MediaType, Digest: of, Size: int64(len(m.Bytes))}); err != nil {
		return "", err
	}
	p.digest = digest.FromBytes(p.bytes)
	if _, err := s.Images.Manifest(ctx, repo.ID, p.digest); err == nil {
		return p.digest, nil
	}
	if p.manifest, p.mediaType, err = manifest.Read(p.bytes, v1.MediaTypeImageManifest); err != nil {
		return "", err
	}
	for _, content := range [][]byte{v1.DescriptorEmptyJSON.Data, a.Content} {
		d := digest.FromBytes(content)
		size, err := s.Blobs.Put(ctx, d, bytes.NewReader(content), int64(len(content)), s.claim(name, d))
		if err != nil {
			return "", fmt.Errorf("store what is attached to %s: %w", of, err)
		}
		s.leasedNow(name, "", d, size)
	}
	if err := s.push(ctx, p); err != nil {
		if isUnknown(err) {
			err = fmt.Errorf("%s: %w", name, images.ErrNotFound)
		}
		return "", err
	}
	return p.digest, nil
}

package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"
)

// Begin opens an upload into a repository. The id is a random UUID that means
// nothing under another repository's name. ErrNoSpace when the disk's reserve
// is reached.
func (s *Store) Begin(ctx context.Context, repo string) (id string, err error) {
	if err := s.fits(0); err != nil {
		return "", err
	}
	id = uuid.NewString()
	name := id + "-" + repoHash(repo)
	f, err := s.createUpload(name)
	if err != nil {
		return "", err
	}
	s.uploads.add(name, f)
	return id, nil
}

func (s *Store) createUpload(name string) (*os.File, error) {
	f, err := s.fs.OpenFile(s.uploadPath(name), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, fmt.Errorf("begin upload: %w", noSpace(err))
	}
	return f, nil
}

// Write appends what r yields and returns the upload's size afterwards. at is
// the offset at which the caller believes to continue, -1 for wherever it
// ends; a wrong one is an *OffsetError and nothing is read. When r fails, what
// had arrived is kept. When the disk is full (ErrNoSpace) or the blob grows
// too large (ErrTooLarge), the upload is as it was before. Concurrent writes
// to one upload wait for each other.
func (s *Store) Write(ctx context.Context, repo, id string, at int64, r io.Reader) (offset int64, err error) {
	u, err := s.acquire(ctx, repo, id)
	if err != nil {
		return 0, err
	}
	defer s.uploads.release(u)
	if before := u.size.Load(); at >= 0 && at != before {
		return before, &OffsetError{Offset: before}
	}
	if err := s.rehash(ctx, u); err != nil {
		return u.size.Load(), err
	}
	err = s.receive(ctx, u, r)
	return u.size.Load(), err
}

// Offset is how many bytes of an upload have arrived. It never waits for a
// write that is going on.
func (s *Store) Offset(ctx context.Context, repo, id string) (int64, error) {
	name, err := uploadName(repo, id)
	if err != nil {
		return 0, err
	}
	if size, ok := s.uploads.size(name); ok {
		return size, nil
	}
	info, err := s.fs.Lstat(s.uploadPath(name))
	if err != nil {
		return 0, uploadError(err)
	}
	return info.Size(), nil
}

// Cancel ends an upload and removes what arrived. A write that is going on
// ends with ErrUploadUnknown.
func (s *Store) Cancel(ctx context.Context, repo, id string) error {
	name, err := uploadName(repo, id)
	if err != nil {
		return err
	}
	return s.cancel(name)
}

func (s *Store) cancel(name string) error {
	s.uploads.kill(name)
	return uploadError(s.fs.Remove(s.uploadPath(name)))
}

// Finish ends an upload as the blob of that digest: readable at once, durable
// after a Sync, which starts in the background if it is large. Content that is
// already there is not kept twice, but replaces a damaged file. With
// ErrDigestMismatch the upload is gone.
//
// claim, which may be nil, is called between the verification and the moment
// the content becomes the blob, so that the caller can keep garbage collection
// off it. It is not called earlier, because a client that only pretends to have
// the content must not get hold of the blob. When claim fails, the upload is as
// it was.
func (s *Store) Finish(ctx context.Context, repo, id string, d digest.Digest, claim func(context.Context) error) (size int64, err error) {
	if err := checkDigest(d); err != nil {
		return 0, err
	}
	u, err := s.acquire(ctx, repo, id)
	if err != nil {
		return 0, err
	}
	defer s.uploads.release(u)
	size = u.size.Load()
	sum, err := s.sum(ctx, u, d.Algorithm())
	if err != nil {
		return 0, err
	}
	if sum != d {
		s.drop(u)
		return 0, fmt.Errorf("%w: it is %s", ErrDigestMismatch, sum)
	}
	if claim != nil {
		if err := claim(ctx); err != nil {
			return 0, err
		}
	}
	f := u.f
	u.f, u.dead = nil, true // from here the file is the blob's
	if err := s.publish(ctx, f, s.uploadPath(u.name), d, size); err != nil {
		return 0, err
	}
	return size, nil
}

// Put stores a blob in one pass. size is -1 when it is not known beforehand;
// claim is as in Finish. Nothing stays behind when it fails.
func (s *Store) Put(ctx context.Context, d digest.Digest, r io.Reader, size int64, claim func(context.Context) error) (int64, error) {
	if err := checkDigest(d); err != nil {
		return 0, err
	}
	if err := s.fits(max(size, 0)); err != nil {
		return 0, err
	}
	u := &upload{name: uuid.NewString() + "-" + repoHash("")}
	f, err := s.createUpload(u.name)
	if err != nil {
		return 0, err
	}
	u.f, u.hash = f, d.Algorithm().Hash()
	err = s.receive(ctx, u, r)
	arrived := u.size.Load()
	switch {
	case err != nil:
	case size >= 0 && arrived != size:
		err = fmt.Errorf("%w: %d bytes, not %d", ErrSizeMismatch, arrived, size)
	case digest.NewDigest(d.Algorithm(), u.hash) != d:
		err = ErrDigestMismatch
	case claim != nil:
		err = claim(ctx)
	}
	if err == nil {
		return arrived, s.publish(ctx, f, s.uploadPath(u.name), d, arrived)
	}
	s.drop(u)
	return 0, err
}

// drop removes an upload that the caller holds.
func (s *Store) drop(u *upload) {
	u.dead = true
	u.f.Close()
	u.f = nil
	if err := s.fs.Remove(s.uploadPath(u.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("an upload's file cannot be removed", "upload", u.name, "err", err)
	}
}

func uploadError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrUploadUnknown
	}
	return err
}

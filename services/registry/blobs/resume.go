package blobs

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"github.com/opencontainers/go-digest"
)

// acquire returns an upload when it is the caller's turn; release ends it.
func (s *Store) acquire(ctx context.Context, repo, id string) (*upload, error) {
	name, err := uploadName(repo, id)
	if err != nil {
		return nil, err
	}
	u := s.uploads.enter(name)
	select {
	case u.turn <- struct{}{}:
	case <-ctx.Done():
		s.uploads.leave(u)
		return nil, context.Cause(ctx)
	}
	if err := s.load(u); err != nil {
		s.uploads.release(u)
		return nil, err
	}
	return u, nil
}

// load opens an upload's file if it is not open.
func (s *Store) load(u *upload) error {
	if u.dead || u.cancelled.Load() {
		return ErrUploadUnknown
	}
	if u.f != nil {
		return nil
	}
	f, err := s.fs.OpenFile(s.uploadPath(u.name), os.O_RDWR)
	if err != nil {
		u.dead = errors.Is(err, fs.ErrNotExist)
		return uploadError(err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("open upload: %w", err)
	}
	if info.Size() != u.size.Load() {
		u.hash = nil
		u.size.Store(info.Size())
	}
	u.f = f
	return nil
}

// rehash reads an upload whose hash state this process does not have.
func (s *Store) rehash(ctx context.Context, u *upload) error {
	if u.hash != nil {
		return nil
	}
	h := digest.SHA256.Hash()
	if err := hashFile(ctx, h, u.f, u.size.Load()); err != nil {
		return fmt.Errorf("read upload again: %w", err)
	}
	u.hash = h
	return nil
}

// sum is the digest of what has arrived.
func (s *Store) sum(ctx context.Context, u *upload, a digest.Algorithm) (digest.Digest, error) {
	if a == digest.SHA256 {
		if err := s.rehash(ctx, u); err != nil {
			return "", err
		}
		return digest.NewDigest(a, u.hash), nil
	}
	h := a.Hash()
	if err := hashFile(ctx, h, u.f, u.size.Load()); err != nil {
		return "", fmt.Errorf("read upload again: %w", err)
	}
	return digest.NewDigest(a, h), nil
}

// hashFile adds the first size bytes of a file to h.
func hashFile(ctx context.Context, h hash.Hash, f *os.File, size int64) error {
	buf := largeBuffers.get()
	defer largeBuffers.put(buf)
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.ReadAt((*buf)[:min(int64(len(*buf)), size-at)], at)
		if n == 0 {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		h.Write((*buf)[:n])
		at += int64(n)
	}
	return nil
}

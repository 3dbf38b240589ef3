package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
)

// Stat is the size of a blob in bytes, pending or durable. ErrNotFound when it
// is not there or damaged. It costs a lookup in a map and one lstat.
func (s *Store) Stat(_ context.Context, d digest.Digest) (size int64, err error) {
	if err := checkDigest(d); err != nil {
		return 0, err
	}
	if p := s.pending.get(d); p != nil && p.isReadable() {
		return p.size, nil
	}
	return s.statDurable(d)
}

func (s *Store) statDurable(d digest.Digest) (int64, error) {
	info, err := s.fs.Lstat(s.blobPath(d))
	if err != nil || !info.Mode().IsRegular() {
		return 0, notFound(err)
	}
	if s.damaged.has(d) {
		return 0, ErrDamaged
	}
	return info.Size(), nil
}

// Open opens a blob for reading; the caller closes it. It stays readable when
// the blob is removed meanwhile. Errors are those of Stat. The content is an
// *os.File, which the kernel can send to a connection without copying.
func (s *Store) Open(_ context.Context, d digest.Digest) (content io.ReadSeekCloser, size int64, err error) {
	f, size, err := s.openFile(d)
	if err != nil {
		return nil, 0, err // not f, which would be a content that is not nil
	}
	return f, size, nil
}

func (s *Store) openFile(d digest.Digest) (f *os.File, size int64, err error) {
	if err := checkDigest(d); err != nil {
		return nil, 0, err
	}
	p := s.pending.get(d)
	isPending := p != nil && p.isReadable()
	if isPending {
		if f, err = s.fs.OpenFile(s.pendingPath(d), os.O_RDONLY); err == nil {
			return f, p.size, nil
		}
		// It has just been renamed.
	}
	if f, err = s.fs.OpenFile(s.blobPath(d), os.O_RDONLY); err != nil {
		return nil, 0, notFound(err)
	}
	info, err := f.Stat()
	if err == nil && s.damaged.has(d) && !isPending {
		err = ErrDamaged
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func notFound(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}

// Remove removes a blob; one that is not there is no error. The caller has made
// sure that nobody relies on it. The removal is not synced: after a power failure
// the whole blob may be back.
func (s *Store) Remove(ctx context.Context, d digest.Digest) error {
	if err := checkDigest(d); err != nil {
		return err
	}
	if s.pending.get(d) != nil {
		if err := s.Sync(ctx, d); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	removed, err := s.usage.removing(ctx)
	if err != nil {
		return err
	}
	info, err := s.fs.Lstat(s.blobPath(d))
	if err == nil {
		err = s.fs.Remove(s.blobPath(d))
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	} else if err == nil {
		removed(info.Size())
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", d, err)
	}
	s.damaged.remove(d)
	return nil
}

// Walk calls fn for every durable blob, damaged ones too, in no order. What
// comes or goes meanwhile may be seen or not. modified is when its content was
// written. fn may remove blobs; its error ends the walk.
func (s *Store) Walk(ctx context.Context, fn func(d digest.Digest, size int64, modified time.Time) error) error {
	for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
		dir := filepath.Join(s.cfg.Dir, "blobs", string(a))
		err := eachName(s.fs, dir, func(name string) error {
			d := digest.NewDigestFromEncoded(a, name)
			if checkDigest(d) != nil {
				return nil // not ours
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			info, err := s.fs.Lstat(filepath.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			return fn(d, info.Size(), info.ModTime())
		})
		if err != nil {
			return fmt.Errorf("walk blobs: %w", err)
		}
	}
	return nil
}

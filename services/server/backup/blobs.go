package backup

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

	"hubledger/services/internal/durable"
	"hubledger/services/registry/blobs"
)

// copyBlobs copies the blobs of a store that the backup lacks, and compares each with its digest while
// it does.
func copyBlobs(ctx context.Context, c Config, dir string, store *blobs.Store, s *Summary) error {
	total := s.BlobBytes + store.Usage().Bytes
	return store.Walk(ctx, func(d digest.Digest, size int64, _ time.Time) error {
		to := blobPath(dir, d)
		if info, err := os.Stat(to); err == nil && info.Size() == size {
			s.count(size)
			return nil
		}
		from, _, err := store.Open(ctx, d)
		if err == nil {
			err = CopyBlob(to, d, from)
			from.Close()
		}
		if errors.Is(err, blobs.ErrNotFound) || errors.Is(err, ErrDamaged) {
			s.Damaged = append(s.Damaged, d) // everything else is worth keeping
			return nil
		}
		if err != nil {
			return err
		}
		s.count(size)
		s.Added.Blobs++
		s.Added.BlobBytes += size
		c.Progress(s.BlobBytes, max(total, s.BlobBytes), "bytes")
		return nil
	})
}

func (s *Summary) count(size int64) {
	s.Blobs++
	s.BlobBytes += size
}

// CopyBlob writes a blob to a file, durably, and only when it has its digest.
func CopyBlob(to string, d digest.Digest, from io.Reader) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), "writing-*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		os.Remove(f.Name())
	}()
	verifier := d.Verifier()
	if _, err := io.Copy(io.MultiWriter(f, verifier), from); err != nil {
		return err
	}
	if !verifier.Verified() {
		return fmt.Errorf("blob %s does not have its digest: %w", d, ErrDamaged)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return durable.Rename(f.Name(), to)
}

// Blobs calls each with every blob of a directory of a backup.
func Blobs(dir string, each func(d digest.Digest, path string, size int64) error) error {
	return filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		d := digest.NewDigestFromEncoded(digest.Algorithm(filepath.Base(filepath.Dir(path))), e.Name())
		if d.Validate() != nil {
			return nil // what an interrupted backup has left
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		return each(d, path, info.Size())
	})
}

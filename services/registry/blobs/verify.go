package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/time/rate"
)

// Progress of a Verify.
type Progress struct {
	Blobs, TotalBlobs int64
	Bytes, TotalBytes int64
}

// Verify reads every durable blob and calls report for each whose content is
// not what its name says, or that cannot be read; those are marked as damaged.
// progress, which may be nil, is called after each blob. It reads no faster
// than Config.VerifyRate.
func (s *Store) Verify(ctx context.Context, progress func(Progress), report func(d digest.Digest, problem error)) error {
	var limit *rate.Limiter
	if s.cfg.VerifyRate > 0 {
		limit = rate.NewLimiter(rate.Limit(s.cfg.VerifyRate), int(max(s.cfg.VerifyRate, largeBuffer)))
	}
	var done Progress
	return s.Walk(ctx, func(d digest.Digest, size int64, _ time.Time) error {
		problem, err := s.check(ctx, d, limit)
		if err != nil {
			return err
		}
		if problem != nil {
			s.MarkDamaged(d)
			report(d, problem)
		}
		if progress != nil {
			total := s.Usage()
			done.Blobs++
			done.Bytes += size
			done.TotalBlobs, done.TotalBytes = max(total.Blobs, done.Blobs), max(total.Bytes, done.Bytes)
			progress(done)
		}
		return nil
	})
}

// check reads one file; err is that of ctx.
func (s *Store) check(ctx context.Context, d digest.Digest, limit *rate.Limiter) (problem, err error) {
	f, err := s.fs.OpenFile(s.blobPath(d), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // swept meanwhile
	}
	if err != nil {
		return err, nil
	}
	defer f.Close()
	h := d.Algorithm().Hash()
	buf := largeBuffers.get()
	defer largeBuffers.put(buf)
	for {
		n, readErr := fill(f, *buf)
		h.Write((*buf)[:n])
		if limit != nil {
			if err := limit.WaitN(ctx, n); err != nil {
				return nil, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if readErr == io.EOF {
			break
		}
		if readErr != nil {
			return fmt.Errorf("read: %w", readErr), nil
		}
	}
	if sum := digest.NewDigest(d.Algorithm(), h); sum != d && s.isCurrent(f, d) {
		return fmt.Errorf("%w: it is %s", ErrDigestMismatch, sum), nil
	}
	return nil, nil
}

// isCurrent says whether f is still the blob's file: it may have been repaired.
func (s *Store) isCurrent(f *os.File, d digest.Digest) bool {
	ours, err := f.Stat()
	if err != nil {
		return true
	}
	now, err := s.fs.Lstat(s.blobPath(d))
	return err != nil || os.SameFile(ours, now)
}

package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
)

// openBlobs opens a directory of blobs in which damaged blobs stay known across
// restarts: they are listed in the operational store until a push has replaced
// them. c.Repaired is set here.
func openBlobs(ctx context.Context, c blobs.Config, l *leases.Store) (*blobs.Store, error) {
	listed, err := l.Damaged(ctx)
	if err != nil {
		return nil, fmt.Errorf("list damaged blobs: %w", err)
	}
	c.Repaired = func(d digest.Digest) {
		if err := l.ClearDamaged(context.Background(), d); err != nil {
			logger := c.Log
			if logger == nil {
				logger = slog.Default()
			}
			logger.Warn("a damaged blob was repaired, but is still listed", "digest", d, "error", err)
		}
	}
	store, err := blobs.Open(c)
	if err != nil {
		return nil, err
	}
	for _, damage := range listed {
		store.MarkDamaged(damage.Digest)
	}
	return store, nil
}

// verifier is a blob store that can read all that it has and compare it with
// its digests: a directory can.
type verifier interface {
	Verify(ctx context.Context, progress func(blobs.Progress), report func(d digest.Digest, problem error)) error
}

// VerifyBlobs reads and hashes every blob. Each damaged one reads as absent from
// then on, and is reported with the live images that it breaks.
// errors.ErrUnsupported when the blob store cannot be verified.
func (s *Registry) VerifyBlobs(ctx context.Context, progress func(blobs.Progress),
	report func(d digest.Digest, problem error, breaks []images.Image) error) error {
	store, ok := s.Blobs.(verifier)
	if !ok {
		return fmt.Errorf("verify blobs: %w by this blob store", errors.ErrUnsupported)
	}
	var errs []error
	err := store.Verify(ctx, progress, func(d digest.Digest, problem error) {
		s.Logger.Error("damaged blob", "digest", d, "problem", problem)
		breaks, err := s.Images.ImagesWith(ctx, d)
		errs = append(errs, err, s.Leases.MarkDamaged(ctx, d, problem.Error()), report(d, problem, breaks))
	})
	return errors.Join(append(errs, err)...)
}

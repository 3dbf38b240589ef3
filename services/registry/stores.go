package registry

import (
	"context"
	"errors"

	"hubledger/services/internal/operations"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
	"hubledger/services/registry/pulls"
)

// Stores is what a registry keeps outside of the log and its read models.
type Stores struct {
	Leases *leases.Store
	Pulls  *pulls.Store
	Blobs  *blobs.Store // nil where blobs are neither read nor deleted
}

// OpenStores opens the stores of a registry. Leases and pull counts are in ops,
// which stays the caller's to close; blobs are where c says, and a nil c opens no
// blob store. After an error nothing is open.
func OpenStores(ctx context.Context, ops *operations.Store, c *blobs.Config) (Stores, error) {
	var s Stores
	var err error
	if s.Leases, err = leases.Open(ctx, ops); err != nil {
		return Stores{}, err
	}
	if s.Pulls, err = pulls.Open(ctx, ops); err == nil && c != nil {
		s.Blobs, err = openBlobs(ctx, *c, s.Leases)
	}
	if err != nil {
		return Stores{}, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes what is open. The operational store has to be open still.
func (s Stores) Close() error {
	var errs []error
	if s.Blobs != nil {
		errs = append(errs, s.Blobs.Close())
	}
	if s.Leases != nil {
		errs = append(errs, s.Leases.Close())
	}
	return errors.Join(errs...)
}

package repository

import (
	"context"
	"fmt"

	"hubledger/projections/images"
)

// Deleted knows repositories that were deleted: images.Reader.
type Deleted interface {
	NamespaceOf(ctx context.Context, repo string) (string, error)
	RepositoryName(ctx context.Context, repo string) (string, error)
}

// DeletedName is the full name of the deleted repository with that id. The error
// wraps images.ErrNotFound when the namespace never had it.
func DeletedName(ctx context.Context, read Deleted, namespace, id string) (string, error) {
	ns, err := read.NamespaceOf(ctx, id)
	if err != nil {
		return "", err
	}
	if ns != namespace {
		return "", fmt.Errorf("repository %s: %w", id, images.ErrNotFound)
	}
	return read.RepositoryName(ctx, id)
}

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

// DeletedName is the full name that the repository of an id had in a namespace.
// The error wraps images.ErrNotFound when it is not, and was not, there.
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

package registry

import (
	"context"

	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// DeleteRepository deletes a repository and drops its leases; the deletion can
// be undone within the undelete window. Immutable tags do not prevent it.
func (s *Registry) DeleteRepository(ctx context.Context, by command.By, name string) (uint64, error) {
	repo, err := s.repository(ctx, name)
	if err != nil {
		return 0, err
	}
	seq, err := repository.Delete(ctx, s.Log, by, idOf(repo), repo.Name)
	if err != nil {
		return 0, err
	}
	if err := s.Leases.DropRepository(ctx, repo.Name); err != nil {
		return seq, err
	}
	return seq, s.awaitVisible(ctx, seq)
}

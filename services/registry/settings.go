package registry

import (
	"context"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// DeleteRepository hides a repository and drops its leases. Immutable tags do
// not keep it.
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

// ChangePolicy gives a repository a new policy.
func (s *Registry) ChangePolicy(ctx context.Context, by command.By, name string, policy events.RepositoryPolicy) (uint64, error) {
	return s.change(ctx, name, func(repo *images.Repository) (uint64, error) {
		return repository.ChangePolicy(ctx, s.Log, by, idOf(repo), repo.Name, policy)
	})
}

// ChangeVisibility opens a repository to everybody, or closes it.
func (s *Registry) ChangeVisibility(ctx context.Context, by command.By, name, visibility string) (uint64, error) {
	return s.change(ctx, name, func(repo *images.Repository) (uint64, error) {
		return repository.ChangeVisibility(ctx, s.Log, by, idOf(repo), repo.Name, visibility)
	})
}

func (s *Registry) change(ctx context.Context, name string, decide func(*images.Repository) (uint64, error)) (uint64, error) {
	repo, err := s.repository(ctx, name)
	if err != nil {
		return 0, err
	}
	seq, err := decide(repo)
	if err != nil {
		return 0, err
	}
	return seq, s.awaitVisible(ctx, seq)
}

package rules

import (
	"context"
	"slices"
	"time"

	"hubledger/projections/builds"
	"hubledger/services/internal/buildsecret"
	"hubledger/services/internal/command"
	"hubledger/services/internal/process"
)

// staleSecrets is the process manager that destroys build secrets that were replaced or
// removed, those whose event was never recorded, and those of repositories that were
// deleted and cannot be restored any more. Nothing but the secrets says what is due, so
// that no event completes it.
func (s *Rules) staleSecrets() process.Manager {
	return process.Manager{
		Name:   "stale-build-secrets",
		Source: "/rules",
		Wakes:  []string{"build_secret.set.v1", "build_secret.removed.v1"},
		// Secrets that nobody needs do not stay: it is tried for ever.
		Backoff: process.Backoff{Attempts: process.Unlimited},
		Every:   time.Hour,
		View:    s.View,
		Due:     s.stale,
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			if s.Secrets == nil {
				return nil, errNoSecrets
			}
			return nil, s.Secrets.Destroy(ctx, t.Key)
		},
	}
}

// stale lists the records that are to go, by name.
func (s *Rules) stale(ctx context.Context, now time.Time) ([]process.Task, error) {
	if s.Secrets == nil {
		return nil, nil
	}
	names, err := s.Secrets.Keys(ctx, buildsecret.Prefix)
	if err != nil {
		return nil, err
	}
	good := map[string][]builds.Secret{} // by repository
	var tasks []process.Task
	for _, name := range names {
		repository, record := buildsecret.ParseRecordName(name)
		if _, known := good[repository]; !known {
			if good[repository], err = s.kept(ctx, repository, now); err != nil {
				return nil, err
			}
		}
		used := slices.ContainsFunc(good[repository], func(one builds.Secret) bool { return one.Record == record })
		if !used && !command.MintedAfter(record, now.Add(-command.OrphanAge)) {
			tasks = append(tasks, process.Task{Key: name})
		}
	}
	return tasks, nil
}

// kept are the secrets of a repository that lives or can be restored.
func (s *Rules) kept(ctx context.Context, repository string, now time.Time) ([]builds.Secret, error) {
	deleted, err := s.Read.DeletedAt(ctx, repository)
	if err != nil || !deleted.IsZero() && now.After(deleted.Add(s.UndeleteWindow)) {
		return nil, err
	}
	return s.Read.Secrets(ctx, repository)
}

package sources

import (
	"context"
	"errors"
	"strings"
	"time"

	"hubledger/projections/builds"
	"hubledger/services/internal/command"
	"hubledger/services/internal/process"
)

// staleSecrets is the process manager that destroys secrets of sources that were
// unlinked, those that were replaced, and those whose event was never recorded.
// Nothing but the secrets says what is due, so that no event completes it.
func (s *Sources) staleSecrets() process.Manager {
	return process.Manager{
		Name:   "stale-secrets",
		Source: source,
		Wakes:  []string{"source.unlinked.v1"},
		// Secrets that nobody needs do not stay: it is tried for ever.
		Backoff: process.Backoff{Attempts: process.Unlimited},
		Every:   time.Hour,
		View:    s.View,
		Due:     s.stale,
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			if s.Secrets == nil {
				return nil, errNoSecrets
			}
			return nil, s.destroyStale(ctx, t.Key)
		},
	}
}

// stale lists the secrets that are to go, by name.
func (s *Sources) stale(ctx context.Context, now time.Time) ([]process.Task, error) {
	if s.Secrets == nil {
		return nil, nil
	}
	names, err := s.Secrets.Keys(ctx, secretsPrefix)
	if err != nil {
		return nil, err
	}
	var tasks []process.Task
	for _, name := range names {
		source, record, _ := strings.Cut(strings.TrimPrefix(name, secretsPrefix), ".")
		good, err := s.good(ctx, source, record, now)
		if err != nil {
			return nil, err
		}
		if !good {
			tasks = append(tasks, process.Task{Key: name})
		}
	}
	return tasks, nil
}

// good says whether a record may be needed.
func (s *Sources) good(ctx context.Context, source, record string, now time.Time) (bool, error) {
	live, err := s.Read.Lives(ctx, source)
	if err != nil && !errors.Is(err, builds.ErrNotFound) {
		return false, err
	}
	if err == nil && !live {
		return false, nil
	}
	of, err := s.Read.SourceByID(ctx, source)
	if err != nil && !errors.Is(err, builds.ErrNotFound) {
		return false, err
	}
	return of != nil && (of.Settings.Secret == record || of.Settings.HookSecret == record || of.Settings.StatusSecret == record) || command.MintedAfter(record, now.Add(-command.OrphanAge)), nil
}

// destroyStale destroys a secret. The bodies of the webhooks of a source that was
// unlinked go before the last of its secrets does, since they name people.
func (s *Sources) destroyStale(ctx context.Context, name string) error {
	source, _, _ := strings.Cut(strings.TrimPrefix(name, secretsPrefix), ".")
	if live, err := s.Read.Lives(ctx, source); err == nil && !live && s.Bodies != nil {
		if err := s.Bodies.Purge(ctx, source); err != nil {
			return err
		}
	}
	return s.Secrets.Destroy(ctx, name)
}

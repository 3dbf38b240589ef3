package deployer

import (
	"context"
	"slices"
	"time"

	"hubledger/services/internal/application"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/process"
)

// staleSecrets is the process manager that destroys secrets of environments that neither
// the configuration of now nor a kept release needs, and those whose event was never
// recorded. Nothing but the secrets says what is due, so that no event completes it.
func (s *Deployer) staleSecrets() process.Manager {
	return process.Manager{
		Name:   "stale-app-secrets",
		Source: "/deployer",
		Wakes: []string{"configuration.set.v1", "environment.deleted.v1", "application.deleted.v1", "application.changed.v1", "release.made.v1",
			"gate_hook.set.v1", "gate_hook.removed.v1"},
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
func (s *Deployer) stale(ctx context.Context, now time.Time) ([]process.Task, error) {
	if s.Secrets == nil {
		return nil, nil
	}
	names, err := s.Secrets.Keys(ctx, application.Prefix)
	if err != nil {
		return nil, err
	}
	needed := map[string]map[string]bool{} // records, by environment
	var tasks []process.Task
	for _, name := range names {
		environment, record := application.ParseRecordName(name)
		if _, known := needed[environment]; !known {
			if needed[environment], err = s.needed(ctx, environment); err != nil {
				return nil, err
			}
		}
		if !needed[environment][record] && !command.MintedAfter(record, now.Add(-command.OrphanAge)) {
			tasks = append(tasks, process.Task{Key: name})
		}
	}
	return tasks, nil
}

// needed are the records of an environment that its configuration, a kept release, a release
// that is on its hosts or may be gone back to, or the URL of a gate needs.
func (s *Deployer) needed(ctx context.Context, environment string) (map[string]bool, error) {
	needed, err := s.Read.NeededRecords(ctx, environment)
	if err != nil || needed == nil {
		return nil, err // it was deleted
	}
	hooks, err := s.Read.Hooks(ctx, environment)
	if err != nil {
		return nil, err
	}
	for _, h := range hooks {
		needed[h.Record] = true
	}
	state, err := s.state(ctx, environment)
	if err != nil {
		return nil, err
	}
	for _, side := range state.Sides {
		if side.Fence == 0 || side.Phase == deployment.Gone {
			continue
		}
		r, err := s.Read.Release(ctx, state.Of.Application, side.Release)
		if err != nil {
			return nil, err
		}
		c, err := s.Read.Configuration(ctx, environment, versionOf(r, environment))
		if err != nil {
			return nil, err
		}
		for _, r := range slices.Concat(c.Values, c.Secrets) {
			needed[r.Record] = true
		}
	}
	return needed, nil
}

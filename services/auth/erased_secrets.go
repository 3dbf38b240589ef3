package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/internal/process"
)

// ErasedSecrets is the process manager that destroys the secrets of erased
// users: those that Erase did not come to destroy, and those that a command
// wrote at the same moment. Nothing but the secrets says what is due, so that
// no event completes it.
func (s *Auth) ErasedSecrets() process.Manager {
	return process.Manager{
		Name:   "erased-secrets",
		Source: source,
		Wakes:  []string{"user.erased.v1"},
		// An erased person's secrets do not stay: it is tried for ever.
		Backoff: process.Backoff{Attempts: process.Unlimited},
		Every:   time.Hour,
		View:    s.View,
		Due:     s.erasedWithSecrets,
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			return nil, s.destroySecrets(ctx, t.Key)
		},
	}
}

// erasedWithSecrets lists erased users of whom there are secrets, by id.
func (s *Auth) erasedWithSecrets(ctx context.Context, _ time.Time) ([]process.Task, error) {
	if s.Secrets == nil {
		return nil, nil
	}
	names, err := s.Secrets.Keys(ctx, userSecrets)
	if err != nil {
		return nil, err
	}
	var tasks []process.Task
	asked := map[string]bool{}
	for _, name := range names {
		id, _, _ := strings.Cut(strings.TrimPrefix(name, userSecrets), ".")
		if asked[id] {
			continue
		}
		asked[id] = true
		user, err := s.Read.AccountByID(ctx, id)
		switch {
		case errors.Is(err, accounts.ErrNotFound): // the read model may be behind
		case err != nil:
			return nil, err
		case user.Erased:
			tasks = append(tasks, process.Task{Key: id})
		}
	}
	return tasks, nil
}

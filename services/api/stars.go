package api

import (
	"context"
	"errors"
	"net/http"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

func (s *API) star(ctx context.Context, c *call, _ *RepositoryPath) (*written, error) {
	return s.say(ctx, c, events.StarGiven{Namespace: c.repo.Namespace, Repository: c.repo.ID, User: c.p.ID})
}

func (s *API) unstar(ctx context.Context, c *call, _ *RepositoryPath) (*written, error) {
	return s.say(ctx, c, events.StarWithdrawn{Namespace: c.repo.Namespace, Repository: c.repo.ID, User: c.p.ID})
}

// say appends a fact about the principal's star, unless it was said last: of
// two at the same moment either may be the one that counts.
func (s *API) say(ctx context.Context, c *call, p events.Payload) (*written, error) {
	if c.p.Kind != access.User {
		return nil, fail(http.StatusForbidden, "only users have stars to give")
	}
	last, seq, err := command.Latest(ctx, s.Log, p.Subject())
	if err != nil {
		return nil, err
	}
	_, given := last.(events.StarGiven)
	_, give := p.(events.StarGiven)
	if given == give {
		return s.done(ctx, seq, nil)
	}
	seq, err = command.Append(ctx, s.Log, by(c.p), p, seq)
	if errors.Is(err, events.ErrConflict) {
		_, seq, err = command.Latest(ctx, s.Log, p.Subject())
	}
	return s.done(ctx, seq, err)
}

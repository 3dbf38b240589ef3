package repository

import (
	"context"
	"errors"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

// ErrNoStars: robot accounts and the operator give no stars.
var ErrNoStars = errors.New("only users have stars to give")

// SetStar gives the principal's star to a repository, or takes it back. Of two
// at the same moment either may be the one that counts. ErrNoStars.
func SetStar(ctx context.Context, log command.Log, by command.By, p access.Principal, id ID, give bool) (uint64, error) {
	if p.Kind != access.User {
		return 0, ErrNoStars
	}
	given := events.StarGiven{Namespace: id.Namespace, Repository: id.Repository, User: p.ID}
	return command.Decide(ctx, log, by, given.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		_, has := last.(events.StarGiven)
		switch {
		case has == give:
			return nil, nil
		case give:
			return given, nil
		}
		return events.StarWithdrawn{Namespace: id.Namespace, Repository: id.Repository, User: p.ID}, nil
	})
}

package account

import (
	"context"
	"fmt"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// GiveGrant gives a role on a repository, or on all of a namespace, in place of
// the one that the grantee has there. ErrInvalid.
func GiveGrant(ctx context.Context, log command.Log, by command.By, p events.GrantGiven) (uint64, error) {
	if err := checkGrant(p.Namespace, p.Repository, p.Grantee, p.GranteeKind); err != nil {
		return 0, err
	}
	switch p.Role {
	case events.RoleRead, events.RoleWrite, events.RoleAdmin:
	default:
		return 0, fmt.Errorf("%w: a role on a repository is read, write or admin", ErrInvalid)
	}
	return command.Decide(ctx, log, by, p.Subject(), same(p))
}

// WithdrawGrant ends a grant. ErrUnknown when there never was one.
func WithdrawGrant(ctx context.Context, log command.Log, by command.By, p events.GrantWithdrawn) (uint64, error) {
	if err := checkGrant(p.Namespace, p.Repository, p.Grantee, p.GranteeKind); err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, p.Subject(), ending(p))
}

func checkGrant(namespace, repository, grantee, kind string) error {
	switch kind {
	case events.GranteeUser, events.GranteeTeam, events.GranteeRobot:
	default:
		return fmt.Errorf("%w: a grantee is a user, team or robot", ErrInvalid)
	}
	if repository != "" {
		if err := checkIDs(repository); err != nil {
			return err
		}
	}
	return checkIDs(namespace, grantee)
}

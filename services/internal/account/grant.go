package account

import (
	"context"
	"fmt"

	"hubledger/events"
	"hubledger/projections/accounts"
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

// A Role says where a grant is, and who has it by name.
type Role struct {
	Namespace  *accounts.Namespace
	Repository string // id; "" for all of the namespace
	Kind       string // of the grantee: events.GranteeUser, …
	Grantee    string // login name, or name of a team or robot account of the namespace
}

// GiveRole is GiveGrant for a grantee that is given by name. ErrNoUser, *NoGranteeError,
// ErrInvalid; ErrUseless for a role that would give nothing.
func GiveRole(ctx context.Context, log command.Log, by command.By, read Grantees, on Role, role string) (uint64, error) {
	id, err := findGrantee(ctx, read, on.Namespace, on.Kind, on.Grantee)
	if err != nil {
		return 0, err
	}
	if err := refuseUseless(ctx, read, on, id, role); err != nil {
		return 0, err
	}
	return GiveGrant(ctx, log, by, events.GrantGiven{
		Namespace: on.Namespace.ID, Repository: on.Repository, Grantee: id, GranteeKind: on.Kind, Role: role})
}

// WithdrawRole is WithdrawGrant for a grantee that is given by name. ErrNoUser,
// *NoGranteeError; ErrUnknown when there never was such a grant.
func WithdrawRole(ctx context.Context, log command.Log, by command.By, read Grantees, on Role) (uint64, error) {
	id, err := findGrantee(ctx, read, on.Namespace, on.Kind, on.Grantee)
	if err != nil {
		return 0, err
	}
	return WithdrawGrant(ctx, log, by, events.GrantWithdrawn{
		Namespace: on.Namespace.ID, Repository: on.Repository, Grantee: id, GranteeKind: on.Kind})
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

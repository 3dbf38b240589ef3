package account

import (
	"context"
	"errors"
	"strings"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/command"
)

var (
	// ErrLastOwner: the organization would have no owner.
	ErrLastOwner = errors.New("the organization needs another owner first")
	// ErrNotMember: a team takes in members of its organization only.
	ErrNotMember = errors.New("only members of the organization can be in its teams")
)

// A LastOwnerError refuses to end an account that is the last owner of some
// organizations. It is an ErrLastOwner.
type LastOwnerError struct{ Organizations []string }

func (e *LastOwnerError) Error() string {
	return "the last owner of " + strings.Join(e.Organizations, ", ") + " cannot be erased: name another owner first"
}

// Is makes it an ErrLastOwner.
func (e *LastOwnerError) Is(target error) bool { return target == ErrLastOwner }

// Members knows who is in an organization or a team: accounts.Reader.
type Members interface {
	Members(ctx context.Context, group string) ([]accounts.Membership, error)
}

// SetMember makes a user a member or an owner of an organization. ErrLastOwner
// when that would take its last owner away. ErrInvalid.
//
// Who is the last owner is read from the read model: two owners who remove each
// other at the same moment can still leave none. An administrator of the hub
// then names a new one.
func SetMember(ctx context.Context, log command.Log, by command.By, read Members, organization, user, role string) (uint64, error) {
	if role != events.RoleOwner {
		if err := keepsOwner(ctx, read, organization, user); err != nil {
			return 0, err
		}
	}
	return GrantMembership(ctx, log, by, organization, organization, user, role)
}

// RemoveMember ends a user's membership in an organization, as SetMember does.
// ErrLastOwner; ErrUnknown when there never was one.
func RemoveMember(ctx context.Context, log command.Log, by command.By, read Members, organization, user string) (uint64, error) {
	if err := keepsOwner(ctx, read, organization, user); err != nil {
		return 0, err
	}
	return RevokeMembership(ctx, log, by, organization, organization, user)
}

// AddToTeam takes the member of that login name into a team. ErrNotMember.
func AddToTeam(ctx context.Context, log command.Log, by command.By, read Members, team *accounts.Team, member string) (uint64, error) {
	members, err := read.Members(ctx, team.Organization)
	if err != nil {
		return 0, err
	}
	for _, m := range members {
		if m.Name == member {
			return GrantMembership(ctx, log, by, team.Organization, team.ID, m.User, events.RoleMember)
		}
	}
	return 0, ErrNotMember
}

// keepsOwner is ErrLastOwner when the user is the organization's only owner.
func keepsOwner(ctx context.Context, read Members, organization, leaving string) error {
	members, err := read.Members(ctx, organization)
	if err != nil {
		return err
	}
	owners, owns := 0, false
	for _, m := range members {
		if m.Role == events.RoleOwner {
			owners++
			owns = owns || m.User == leaving
		}
	}
	if owns && owners == 1 {
		return ErrLastOwner
	}
	return nil
}

// Memberships knows which organizations and teams users are in: accounts.Reader.
type Memberships interface {
	Memberships(ctx context.Context, user string) ([]accounts.Membership, error)
}

// leavesOwners is a *LastOwnerError when a user is the only owner of any organization.
func leavesOwners(ctx context.Context, read interface {
	Members
	Memberships
}, user string) error {
	in, err := read.Memberships(ctx, user)
	if err != nil {
		return err
	}
	var alone []string
	for _, m := range in {
		if m.Group != m.Organization || m.Role != events.RoleOwner {
			continue
		}
		if err := keepsOwner(ctx, read, m.Organization, user); errors.Is(err, ErrLastOwner) {
			alone = append(alone, m.GroupName)
		} else if err != nil {
			return err
		}
	}
	if len(alone) > 0 {
		return &LastOwnerError{alone}
	}
	return nil
}

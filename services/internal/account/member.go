package account

import (
	"context"
	"errors"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

// ErrNotMember: a team takes in members of its organization only.
var ErrNotMember = errors.New("only members of the organization can be in its teams")

// Membership knows who is in an organization or a team: accounts.Reader.
type Membership interface {
	Membership(ctx context.Context, group, user string) (*accounts.Membership, error)
}

// Memberships knows which organizations and teams users are in, and are asked
// to join: accounts.Reader.
type Memberships interface {
	Membership
	Invitations(ctx context.Context, organization string, at time.Time) ([]accounts.Invitation, error)
	InvitationsOf(ctx context.Context, user string, at time.Time) ([]accounts.Invitation, error)
}

// SetMember makes a user a member or an owner of an organization, or invites
// them: nobody becomes an owner without accepting it, nor comes back after leaving
// or declining. Administrators of the hub may decide for them. invited says that
// the user has to accept first. ErrInvalid, ErrTooManyInvitations.
//
// Owners may leave and step down, also the last one: the organization is then
// the administrators' until they name an owner.
func SetMember(ctx context.Context, log command.Log, by command.By, read Memberships, p access.Principal, organization string, user *accounts.Account, role string) (seq uint64, invited bool, err error) {
	granted := events.MembershipGranted{Organization: organization, Group: organization, User: user.ID, Role: role}
	if err := checkMembership(granted); err != nil {
		return 0, false, err
	}
	unasked := p.Admin || role == events.RoleMember
	if unasked {
		seq, err = command.Decide(ctx, log, by, granted.Subject(), func(last events.Payload, seq uint64) (events.Payload, error) {
			if !p.Admin {
				var err error
				if unasked, err = mayBeAdded(ctx, log, read, organization, user); err != nil || !unasked {
					return nil, err
				}
			}
			return same(granted)(last, seq)
		})
	}
	if err != nil || unasked {
		return seq, false, err
	}
	return invite(ctx, log, by, read, events.MembershipInvited{Organization: organization, User: user.ID, Role: role})
}

// mayBeAdded says whether an owner may make a user a member without asking: not
// when they left or were asked before.
func mayBeAdded(ctx context.Context, log command.Log, read Membership, organization string, user *accounts.Account) (bool, error) {
	e, err := log.Last(ctx, events.MembershipSubject(organization, organization, user.ID))
	if err != nil || e == nil {
		return err == nil, err
	}
	last, err := events.Decode(e)
	if err != nil && !errors.Is(err, events.ErrRedacted) { // nil: what is known says whether they are a member
		return false, err
	}
	switch last.(type) {
	case events.MembershipGranted:
		return true, nil
	case events.MembershipRevoked:
		return e.Actor() != user.Name, nil
	}
	_, err = read.Membership(ctx, organization, user.ID) // of an earlier event
	if errors.Is(err, accounts.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// RemoveMember ends a user's membership in an organization, and in its teams. Of who
// is no member it ends the invitation only: as a membership that an owner has ended,
// it would let the owner take in who has left or declined. ErrUnknown when there
// never was either.
func RemoveMember(ctx context.Context, log command.Log, by command.By, read Membership, organization, user string) (uint64, error) {
	if err := checkIDs(organization, user); err != nil {
		return 0, err
	}
	_, err := read.Membership(ctx, organization, user)
	if err != nil && !errors.Is(err, accounts.ErrNotFound) {
		return 0, err
	}
	member := err == nil
	p := events.MembershipRevoked{Organization: organization, Group: organization, User: user}
	return command.Decide(ctx, log, by, p.Subject(), func(last events.Payload, seq uint64) (events.Payload, error) {
		if !member {
			switch last.(type) {
			case events.MembershipInvited:
				return events.MembershipUninvited{Organization: organization, User: user}, nil
			case events.MembershipUninvited:
				return nil, nil
			}
		}
		return ending(p)(last, seq)
	})
}

// AddToTeam takes the member of that login name into a team. ErrNotMember.
func AddToTeam(ctx context.Context, log command.Log, by command.By, read interface {
	Names
	Membership
}, team *accounts.Team, member string) (uint64, error) {
	user, err := FindUser(ctx, read, member)
	if err == nil {
		_, err = read.Membership(ctx, team.Organization, user.ID)
	}
	if errors.Is(err, accounts.ErrNotFound) {
		return 0, ErrNotMember
	}
	if err != nil {
		return 0, err
	}
	return GrantMembership(ctx, log, by, team.Organization, team.ID, user.ID, events.RoleMember)
}

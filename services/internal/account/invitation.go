package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
)

const (
	// maxInvitations bounds the invitations that an organization has open, and
	// those that a user can accept. They are counted in the read model.
	maxInvitations = 50
	// invitationTerm is how long an invitation can be accepted.
	invitationTerm = 30 * 24 * time.Hour
)

var (
	// ErrTooManyInvitations: so many wait for an answer that no more are sent.
	ErrTooManyInvitations = fmt.Errorf("%d invitations wait for an answer already: withdraw some, or ask an administrator of the hub to name the member", maxInvitations)
	// ErrNotInvited: there is no invitation, or it has expired.
	ErrNotInvited = errors.New("there is no invitation that is still open")
)

// invite appends an invitation, unless the user owns the organization already or
// the same is open. SetMember has checked what it says.
func invite(ctx context.Context, log command.Log, by command.By, read Memberships, p events.MembershipInvited) (seq uint64, invited bool, err error) {
	now := time.Now()
	p.Expires = now.Add(invitationTerm).UTC().Truncate(time.Second)
	sent, err := read.Invitations(ctx, p.Organization, now)
	if err != nil {
		return 0, false, err
	}
	received, err := read.InvitationsOf(ctx, p.User, now)
	if err != nil {
		return 0, false, err
	}
	seq, err = command.Decide(ctx, log, by, p.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		invited = true
		switch last := last.(type) {
		case events.MembershipGranted:
			if last.Role == events.RoleOwner {
				invited = false
				return nil, nil
			}
		case events.MembershipInvited:
			if last.Role == p.Role && now.Before(last.Expires) {
				return nil, nil
			}
		}
		if len(sent) >= maxInvitations || len(received) >= maxInvitations {
			return nil, ErrTooManyInvitations
		}
		return p, nil
	})
	return seq, invited, err
}

// AcceptInvitation makes a user what they were invited to be. ErrNotInvited.
func AcceptInvitation(ctx context.Context, log command.Log, by command.By, organization, user string) (uint64, error) {
	return answer(ctx, log, by, organization, user, func(asked events.MembershipInvited) (events.Payload, error) {
		if !time.Now().Before(asked.Expires) {
			return nil, ErrNotInvited
		}
		return events.MembershipGranted{Organization: organization, Group: organization, User: user, Role: asked.Role}, nil
	})
}

// EndInvitation declines or withdraws an invitation. ErrNotInvited.
func EndInvitation(ctx context.Context, log command.Log, by command.By, organization, user string) (uint64, error) {
	return answer(ctx, log, by, organization, user, func(events.MembershipInvited) (events.Payload, error) {
		return events.MembershipUninvited{Organization: organization, User: user}, nil
	})
}

func answer(ctx context.Context, log command.Log, by command.By, organization, user string, with func(events.MembershipInvited) (events.Payload, error)) (uint64, error) {
	if err := checkIDs(organization, user); err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, events.MembershipSubject(organization, organization, user), func(last events.Payload, _ uint64) (events.Payload, error) {
		asked, ok := last.(events.MembershipInvited)
		if !ok {
			return nil, ErrNotInvited
		}
		return with(asked)
	})
}

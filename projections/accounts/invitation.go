package accounts

import (
	"context"
	"time"

	"hubledger/projections"
)

// An Invitation asks a user to join an organization, or to become its owner.
type Invitation struct {
	Organization, OrganizationName string // id and name
	User, Name                     string // id and login name
	Role                           string // events.RoleOwner or events.RoleMember
	Inviter                        string // login name, or operator
	Invited, Expires               time.Time
}

const invitationColumns = `SELECT v.organization, o.name, v.account, u.name, v.role, v.inviter, v.time, v.expires
	FROM invitations v CROSS JOIN namespaces o CROSS JOIN namespaces u
	WHERE o.namespace = v.organization AND o.kind = 'organization' AND u.namespace = v.account AND u.kind = 'user' AND v.role <> ''
	AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.account = v.account) `

func scanInvitation(row projections.Row) (Invitation, error) {
	var v Invitation
	var organization, user []byte
	var at, expires int64
	err := row.Scan(&organization, &v.OrganizationName, &user, &v.Name, &v.Role, &v.Inviter, &at, &expires)
	v.Organization, v.User, v.Invited, v.Expires = projections.IDOf(organization), projections.IDOf(user), timeOf(at), timeOf(expires)
	return v, err
}

// Invitations lists those to an organization that can be accepted at that time, by login name.
func (r Reader) Invitations(ctx context.Context, organization string, at time.Time) ([]Invitation, error) {
	raw, err := key(organization)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanInvitation, invitationColumns+`AND v.organization = $1 AND v.expires > $2 ORDER BY u.name`, raw, at.UnixMicro())
}

// InvitationsOf lists those that a user can accept at that time, by the name of the
// organization.
func (r Reader) InvitationsOf(ctx context.Context, user string, at time.Time) ([]Invitation, error) {
	raw, err := key(user)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanInvitation, invitationColumns+`AND v.account = $1 AND v.expires > $2 ORDER BY o.name`, raw, at.UnixMicro())
}

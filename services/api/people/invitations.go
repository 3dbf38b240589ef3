package people

import (
	"context"
	"net/http"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// InvitationPath names an organization that has invited the caller.
type InvitationPath struct {
	Organization string `path:"organization" maxLength:"40" doc:"Name of the organization"`
}

func (s *API) registerInvitations() {
	const mine, theirs = "/user/invitations", "/orgs/{namespace}/invitations"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: mine, ID: "list-my-invitations", Tag: "organizations", Permission: access.FullAccount, Cost: budget.List,
		Summary: "List the organizations that you are invited to"}, s.listMyInvitations)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: mine + "/{organization}/acceptance", ID: "accept-invitation", Tag: "organizations", Permission: access.FullAccount, Cost: budget.Write,
		Summary: "Accept an invitation"}, s.acceptInvitation)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: mine + "/{organization}", ID: "decline-invitation", Tag: "organizations", Permission: access.FullAccount, Cost: budget.Write,
		Summary: "Decline an invitation"}, s.declineInvitation)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: theirs, ID: "list-invitations", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.List,
		Summary: "List who is invited to an organization"}, inOrganization(s.listInvitations))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: theirs + "/{member}", ID: "withdraw-invitation", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write,
		Summary: "Withdraw an invitation", About: "An existing membership stays."}, inOrganization(s.withdrawInvitation))
}

func shownInvitations(all []accounts.Invitation) *openapi.List[apitypes.Invitation] {
	views := make([]apitypes.Invitation, len(all))
	for i, v := range all {
		views[i] = apitypes.Invitation{Organization: v.OrganizationName, User: v.Name, Role: v.Role, Inviter: v.Inviter, Invited: v.Invited, Expires: v.Expires}
	}
	return openapi.WholeList(views)
}

func (s *API) listMyInvitations(ctx context.Context, c *endpoint.Call, _ *struct{}) (*openapi.List[apitypes.Invitation], error) {
	if c.Principal.Kind != access.User {
		return shownInvitations(nil), nil
	}
	all, err := s.Accounts.InvitationsOf(ctx, c.Principal.ID, time.Now())
	return shownInvitations(all), err
}

func (s *API) listInvitations(ctx context.Context, c *endpoint.Call, _ *OrganizationPath) (*openapi.List[apitypes.Invitation], error) {
	all, err := s.Accounts.Invitations(ctx, c.Namespace.ID, time.Now())
	return shownInvitations(all), err
}

func (s *API) acceptInvitation(ctx context.Context, c *endpoint.Call, in *InvitationPath) (*openapi.Change, error) {
	id, err := s.invitedTo(ctx, c, in.Organization)
	if err != nil {
		return nil, err
	}
	seq, err := account.AcceptInvitation(ctx, s.Log, c.By(), id, c.Principal.ID)
	return s.Changed(ctx, seq, err)
}

func (s *API) declineInvitation(ctx context.Context, c *endpoint.Call, in *InvitationPath) (*openapi.Change, error) {
	id, err := s.invitedTo(ctx, c, in.Organization)
	if err != nil {
		return nil, err
	}
	seq, err := account.EndInvitation(ctx, s.Log, c.By(), id, c.Principal.ID)
	return s.Changed(ctx, seq, err)
}

// invitedTo is the id of an organization that the caller is invited to. Whether
// there are others shows in no answer.
func (s *API) invitedTo(ctx context.Context, c *endpoint.Call, name string) (string, error) {
	if c.Principal.Kind != access.User {
		return "", account.ErrNotInvited
	}
	all, err := s.Accounts.InvitationsOf(ctx, c.Principal.ID, time.Now())
	if err != nil {
		return "", err
	}
	for _, v := range all {
		if v.OrganizationName == name {
			return v.Organization, nil
		}
	}
	return "", account.ErrNotInvited
}

func (s *API) withdrawInvitation(ctx context.Context, c *endpoint.Call, in *MemberPath) (*openapi.Change, error) {
	a, err := s.user(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	seq, err := account.EndInvitation(ctx, s.Log, c.By(), c.Namespace.ID, a.ID)
	return s.Changed(ctx, seq, err)
}

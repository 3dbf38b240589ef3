package people

import (
	"context"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

func shownMembers(c *endpoint.Call, in openapi.Listing, all []accounts.Membership) (*openapi.List[apitypes.Member], error) {
	views := make([]apitypes.Member, len(all))
	for i, m := range all {
		views[i] = apitypes.Member{Name: m.Name, Role: m.Role, Given: apitypes.Given{By: m.By, Since: m.At, Seq: m.Seq}}
	}
	return openapi.PageOf(c, views, in, func(m apitypes.Member) string { return m.Name })
}

type listInOrganizationIn struct {
	OrganizationPath
	openapi.Listing
}

type listMembersIn struct {
	OrganizationPath
	openapi.Listing
	AsOf
}

// MemberPath names a member of an organization.
type MemberPath struct {
	OrganizationPath
	Member string `path:"member" maxLength:"40" doc:"Login name of a user"`
}

type setMemberIn struct {
	MemberPath
	Body apitypes.SetMemberRequest
}

func (s *API) registerMembers() {
	const path = "/orgs/{namespace}/members"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-members", Tag: "organizations", Permission: access.NamespaceMember, Cost: budget.List, Summary: "List the members of an organization, by name"}, inOrganization(s.listMembers))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: path + "/{member}", ID: "set-member", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write,
		Summary: "Make a user a member or an owner", About: "Nobody becomes an owner without accepting it: the user is invited, unless an administrator of the hub asks for it. " +
			"A member is added at once, unless the user has left the organization or was invited before: then the user is invited. Membership alone gives no right on private repositories: teams and grants do."}, inOrganization(s.setMember))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{member}", ID: "remove-member", Tag: "organizations", Permission: access.OwnMembershipOrNamespaceAdmin, Cost: budget.Write,
		Summary: "End a membership, or leave", About: "Also ends the memberships in the organization's teams, and an invitation. When the last owner leaves, " +
			"the organization belongs to the hub's administrators until they name an owner."}, inOrganization(s.removeMember))
}

func (s *API) listMembers(ctx context.Context, c *endpoint.Call, in *listMembersIn) (*openapi.List[apitypes.Member], error) {
	read, done, err := in.AsOf.Reader(ctx, s.Past, c.Namespace)
	if err != nil {
		return nil, err
	}
	defer done()
	members, err := read.Members(ctx, c.Namespace.ID)
	if err != nil {
		return nil, err
	}
	return shownMembers(c, in.Listing, members)
}

func (s *API) setMember(ctx context.Context, c *endpoint.Call, in *setMemberIn) (*openapi.ChangeWith[apitypes.MemberChange], error) {
	a, err := account.FindRecipient(ctx, s.Accounts, in.Member)
	if err != nil {
		return nil, endpoint.Located(err, "path.member", account.ErrNoUser)
	}
	seq, invited, err := account.SetMember(ctx, s.Log, c.By(), s.Accounts, c.Principal, c.Namespace.ID, a, in.Body.Role)
	if err != nil {
		return nil, err
	}
	return s.memberChanged(ctx, c, seq, invited)
}

// memberChanged answers a change of the members once it can be read back.
func (s *API) memberChanged(ctx context.Context, c *endpoint.Call, seq uint64, invited bool) (*openapi.ChangeWith[apitypes.MemberChange], error) {
	if err := s.Readable(ctx, seq); err != nil {
		return nil, err
	}
	o, err := s.Accounts.Organization(ctx, c.Namespace.ID, "")
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.MemberChange{Seq: seq, Invited: invited, Ownerless: o.Ownerless}), nil
}

func (s *API) removeMember(ctx context.Context, c *endpoint.Call, in *MemberPath) (*openapi.ChangeWith[apitypes.MemberChange], error) {
	a, err := s.user(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	seq, err := account.RemoveMember(ctx, s.Log, c.By(), s.Accounts, c.Namespace.ID, a.ID)
	if err != nil {
		return nil, err
	}
	return s.memberChanged(ctx, c, seq, false)
}

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

func shownMembers(all []accounts.Membership) *openapi.List[apitypes.Member] {
	views := make([]apitypes.Member, len(all))
	for i, m := range all {
		views[i] = apitypes.Member{Name: m.Name, Role: m.Role}
	}
	return openapi.WholeList(views)
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
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-members", Tag: "organizations", Permission: access.NamespaceMember, Cost: budget.List, Summary: "List the members of an organization"}, inOrganization(s.listMembers))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: path + "/{member}", ID: "set-member", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write,
		Summary: "Make a user a member or an owner", About: "Membership alone gives no right on private repositories: teams and grants do."}, inOrganization(s.setMember))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{member}", ID: "remove-member", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write,
		Summary: "End a membership", About: "It ends those in the organization's teams, too. The last owner stays; should two owners end each other's " +
			"membership in the same moment, an administrator of the hub names an owner again."}, inOrganization(s.removeMember))
}

func (s *API) listMembers(ctx context.Context, c *endpoint.Call, _ *OrganizationPath) (*openapi.List[apitypes.Member], error) {
	members, err := s.Accounts.Members(ctx, c.Namespace.ID)
	if err != nil {
		return nil, err
	}
	return shownMembers(members), nil
}

func (s *API) setMember(ctx context.Context, c *endpoint.Call, in *setMemberIn) (*openapi.Change, error) {
	a, err := account.FindRecipient(ctx, s.Accounts, in.Member)
	if err != nil {
		return nil, endpoint.Located(err, "path.member", account.ErrNoUser)
	}
	seq, err := account.SetMember(ctx, s.Log, c.By(), s.Accounts, c.Namespace.ID, a.ID, in.Body.Role)
	return s.Changed(ctx, seq, err)
}

func (s *API) removeMember(ctx context.Context, c *endpoint.Call, in *MemberPath) (*openapi.Change, error) {
	a, err := s.user(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	seq, err := account.RemoveMember(ctx, s.Log, c.By(), s.Accounts, c.Namespace.ID, a.ID)
	return s.Changed(ctx, seq, err)
}

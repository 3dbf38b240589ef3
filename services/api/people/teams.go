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

// TeamPath names a team.
type TeamPath struct {
	OrganizationPath
	Team string `path:"team" maxLength:"40" doc:"Name of the team"`
}

type createTeamIn struct {
	OrganizationPath
	Body apitypes.NameRequest
}

type listTeamMembersIn struct {
	TeamPath
	openapi.Listing
	AsOf
}

type teamMemberIn struct {
	TeamPath
	Member string `path:"member" maxLength:"40" doc:"Login name of a member of the organization"`
}

func (s *API) registerTeams() {
	const path = "/orgs/{namespace}/teams"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-teams", Tag: "organizations", Permission: access.NamespaceMember, Cost: budget.List, Summary: "List the teams of an organization"}, inOrganization(s.listTeams))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: path, ID: "create-team", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write, Status: http.StatusCreated, Summary: "Make a team"}, inOrganization(s.createTeam))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{team}", ID: "delete-team", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write, Summary: "Delete a team with its grants"}, inOrganization(s.deleteTeam))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path + "/{team}/members", ID: "list-team-members", Tag: "organizations", Permission: access.NamespaceMember, Cost: budget.List, Summary: "List who is in a team"}, inOrganization(s.listTeamMembers))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: path + "/{team}/members/{member}", ID: "add-team-member", Tag: "organizations", Permission: access.NamespaceAdmin, Cost: budget.Write, Summary: "Take a member into a team"}, inOrganization(s.addTeamMember))
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{team}/members/{member}", ID: "remove-team-member", Tag: "organizations", Permission: access.OwnMembershipOrNamespaceAdmin, Cost: budget.Write, Summary: "Take a member out of a team, or leave it"}, inOrganization(s.removeTeamMember))
}

// team is the one that the path names.
func (s *API) team(ctx context.Context, c *endpoint.Call, name string) (*accounts.Team, error) {
	return s.Accounts.Team(ctx, c.Namespace.ID, name)
}

func (s *API) listTeams(ctx context.Context, c *endpoint.Call, in *listMembersIn) (*openapi.List[apitypes.Team], error) {
	read, done, err := in.AsOf.Reader(ctx, s.Past, c.Namespace)
	if err != nil {
		return nil, err
	}
	defer done()
	teams, err := read.Teams(ctx, c.Namespace.ID)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Team, len(teams))
	for i, t := range teams {
		views[i] = apitypes.Team{Name: t.Name, Description: t.Description}
	}
	return openapi.PageOf(c, views, in.Listing, func(t apitypes.Team) string { return t.Name })
}

func (s *API) createTeam(ctx context.Context, c *endpoint.Call, in *createTeamIn) (*openapi.Change, error) {
	_, seq, err := account.CreateTeam(ctx, s.Log, c.By(), c.Namespace.ID, in.Body.Name, in.Body.Description)
	return s.Changed(ctx, seq, err)
}

func (s *API) deleteTeam(ctx context.Context, c *endpoint.Call, in *TeamPath) (*openapi.Change, error) {
	seq, err := account.DeleteTeam(ctx, s.Log, c.By(), c.Namespace.ID, in.Team)
	return s.Changed(ctx, seq, err)
}

func (s *API) listTeamMembers(ctx context.Context, c *endpoint.Call, in *listTeamMembersIn) (*openapi.List[apitypes.Member], error) {
	read, done, err := in.AsOf.Reader(ctx, s.Past, c.Namespace)
	if err != nil {
		return nil, err
	}
	defer done()
	t, err := read.Team(ctx, c.Namespace.ID, in.Team)
	if err != nil {
		return nil, err
	}
	members, err := read.Members(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	return shownMembers(c, in.Listing, members)
}

func (s *API) addTeamMember(ctx context.Context, c *endpoint.Call, in *teamMemberIn) (*openapi.Change, error) {
	t, err := s.team(ctx, c, in.Team)
	if err != nil {
		return nil, err
	}
	seq, err := account.AddToTeam(ctx, s.Log, c.By(), s.Accounts, t, in.Member)
	return s.Changed(ctx, seq, endpoint.Located(err, "path.member", account.ErrNotMember))
}

func (s *API) removeTeamMember(ctx context.Context, c *endpoint.Call, in *teamMemberIn) (*openapi.Change, error) {
	t, err := s.team(ctx, c, in.Team)
	if err != nil {
		return nil, err
	}
	a, err := s.user(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	seq, err := account.RevokeMembership(ctx, s.Log, c.By(), t.Organization, t.ID, a.ID)
	return s.Changed(ctx, seq, err)
}

package api

import (
	"context"
	"net/http"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
)

type teamView struct {
	Name        string `json:"name" doc:"Unique in the organization"`
	Description string `json:"description" doc:"What it is for"`
}

// TeamPath names a team.
type TeamPath struct {
	OrganizationPath
	Team string `path:"team" maxLength:"40" doc:"Name of the team"`
}

type createTeamIn struct {
	OrganizationPath
	Body namedThing
}

// namedThing is what a team or a robot account is made of.
type namedThing struct {
	Name        string `json:"name" minLength:"1" maxLength:"40" doc:"Lower-case letters, digits, and single . _ - between them"`
	Description string `json:"description,omitempty" maxLength:"500" doc:"What it is for"`
}

type teamMemberIn struct {
	TeamPath
	Member string `path:"member" maxLength:"40" doc:"Login name of a member of the organization"`
}

func (s *API) registerTeams() {
	const path = "/orgs/{namespace}/teams"
	add(s, operation{method: http.MethodGet, path: path, id: "list-teams", tag: "organizations", summary: "List the teams of an organization"}, s.listTeams)
	add(s, operation{method: http.MethodPost, path: path, id: "create-team", tag: "organizations", status: http.StatusCreated, summary: "Make a team"}, s.createTeam)
	add(s, operation{method: http.MethodDelete, path: path + "/{team}", id: "delete-team", tag: "organizations", summary: "Delete a team with its grants"}, s.deleteTeam)
	add(s, operation{method: http.MethodGet, path: path + "/{team}/members", id: "list-team-members", tag: "organizations", summary: "List who is in a team"}, s.listTeamMembers)
	add(s, operation{method: http.MethodPut, path: path + "/{team}/members/{member}", id: "add-team-member", tag: "organizations", summary: "Take a member into a team"}, s.addTeamMember)
	add(s, operation{method: http.MethodDelete, path: path + "/{team}/members/{member}", id: "remove-team-member", tag: "organizations", summary: "Take a member out of a team"}, s.removeTeamMember)
}

// team is the one that the path names.
func (s *API) team(ctx context.Context, c *call, name string) (*accounts.Team, error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	return s.Accounts.Team(ctx, o.ID, name)
}

func (s *API) listTeams(ctx context.Context, c *call, _ *OrganizationPath) (*list[teamView], error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	teams, err := s.Accounts.Teams(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	views := make([]teamView, len(teams))
	for i, t := range teams {
		views[i] = teamView{t.Name, t.Description}
	}
	return wholeList(views), nil
}

func (s *API) createTeam(ctx context.Context, c *call, in *createTeamIn) (*written, error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	_, seq, err := account.CreateTeam(ctx, s.Log, by(c.p), o.ID, in.Body.Name, in.Body.Description)
	return s.done(ctx, seq, err)
}

func (s *API) deleteTeam(ctx context.Context, c *call, in *TeamPath) (*written, error) {
	o, err := c.organization()
	if err != nil {
		return nil, err
	}
	seq, err := account.DeleteTeam(ctx, s.Log, by(c.p), o.ID, in.Team)
	return s.done(ctx, seq, err)
}

func (s *API) listTeamMembers(ctx context.Context, c *call, in *TeamPath) (*list[memberView], error) {
	t, err := s.team(ctx, c, in.Team)
	if err != nil {
		return nil, err
	}
	members, err := s.Accounts.Members(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	return shownMembers(members), nil
}

func (s *API) addTeamMember(ctx context.Context, c *call, in *teamMemberIn) (*written, error) {
	t, err := s.team(ctx, c, in.Team)
	if err != nil {
		return nil, err
	}
	members, err := s.Accounts.Members(ctx, t.Organization)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.Name == in.Member {
			seq, err := account.GrantMembership(ctx, s.Log, by(c.p), t.Organization, t.ID, m.User, events.RoleMember)
			return s.done(ctx, seq, err)
		}
	}
	return nil, invalid("path.member", "only members of the organization can be in its teams")
}

func (s *API) removeTeamMember(ctx context.Context, c *call, in *teamMemberIn) (*written, error) {
	t, err := s.team(ctx, c, in.Team)
	if err != nil {
		return nil, err
	}
	a, err := s.user(ctx, in.Member)
	if err != nil {
		return nil, err
	}
	seq, err := account.RevokeMembership(ctx, s.Log, by(c.p), t.Organization, t.ID, a.ID)
	return s.done(ctx, seq, err)
}

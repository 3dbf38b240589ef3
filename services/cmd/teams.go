package cmd

import "hubledger/services/internal/apitypes"

type teamsCmd struct {
	Ls     teamsLsCmd     `cmd:"" help:"List the teams of an organization, or the members of a team."`
	Create teamsCreateCmd `cmd:"" help:"Create a team."`
	Rm     teamsRmCmd     `cmd:"" help:"Delete a team with its grants."`
	Add    teamsAddCmd    `cmd:"" help:"Add a member of the organization to a team."`
	Remove teamsRemoveCmd `cmd:"" help:"Remove a member from a team."`
}

// team holds the arguments that name a team.
type team struct {
	target
	Org  string `arg:"" help:"Name of the organization."`
	Team string `arg:"" help:"Name of the team."`
}

func (t *team) path() string { return path("orgs", t.Org, "teams", t.Team) }

type teamsLsCmd struct {
	target
	Org  string `arg:"" help:"Name of the organization."`
	Team string `arg:"" optional:"" help:"Team whose members to list."`
}

func (c *teamsLsCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	if c.Team != "" {
		return list(a, path("orgs", c.Org, "teams", c.Team, "members"), nil, "Nobody is in this team.", []string{"NAME"}, func(m apitypes.Member) []string {
			return []string{m.Name}
		})
	}
	return list(a, path("orgs", c.Org, "teams"), nil, "No teams.", []string{"NAME", "DESCRIPTION"}, func(t apitypes.Team) []string {
		return []string{t.Name, t.Description}
	})
}

type teamsCreateCmd struct {
	team
	Description string `help:"What the team is for." placeholder:"TEXT"`
}

func (c *teamsCreateCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("POST", path("orgs", c.Org, "teams"), apitypes.NameRequest{Name: c.Team, Description: c.Description}, "Created the team "+c.Team+" of "+c.Org)
}

type teamsRmCmd struct{ team }

func (c *teamsRmCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("DELETE", c.path(), nil, "Deleted the team "+c.Team+" of "+c.Org)
}

type teamsAddCmd struct {
	team
	User string `arg:"" help:"Login name of a member of the organization."`
}

func (c *teamsAddCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("PUT", c.path()+path("members", c.User), nil, "Added "+c.User+" to the team "+c.Team)
}

type teamsRemoveCmd struct {
	team
	User string `arg:"" help:"Login name."`
}

func (c *teamsRemoveCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("DELETE", c.path()+path("members", c.User), nil, "Removed "+c.User+" from the team "+c.Team)
}

package accounts

import (
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Teams are the commands on the teams of an organization.
type Teams struct {
	Ls     teamsLsCmd     `cmd:"" help:"List the teams of an organization, or the members of a team."`
	Create teamsCreateCmd `cmd:"" help:"Create a team."`
	Rm     teamsRmCmd     `cmd:"" help:"Delete a team with its grants."`
	Add    teamsAddCmd    `cmd:"" help:"Add a member of the organization to a team."`
	Remove teamsRemoveCmd `cmd:"" help:"Remove a member from a team."`
}

// team holds the arguments that name a team.
type team struct {
	console.Target
	Org  string `arg:"" help:"Name of the organization."`
	Team string `arg:"" help:"Name of the team."`
}

func (t *team) path() string { return client.Path("orgs", t.Org, "teams", t.Team) }

type teamsLsCmd struct {
	console.Target
	asOf
	Org  string `arg:"" help:"Name of the organization."`
	Team string `arg:"" optional:"" help:"Team whose members to list."`
}

func (c *teamsLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if c.Team != "" {
		return console.List(a, client.Path("orgs", c.Org, "teams", c.Team, "members"), c.query(), "Nobody is in this team.", []string{"NAME"}, func(m apitypes.Member) []string {
			return []string{m.Name}
		})
	}
	return console.List(a, client.Path("orgs", c.Org, "teams"), c.query(), "No teams yet. Create one: hubledger teams create "+c.Org+" NAME", []string{"NAME", "DESCRIPTION"}, func(t apitypes.Team) []string {
		return []string{t.Name, t.Description}
	})
}

type teamsCreateCmd struct {
	team
	Description string `help:"What the team is for." placeholder:"TEXT"`
}

func (c *teamsCreateCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("POST", client.Path("orgs", c.Org, "teams"), apitypes.NameRequest{Name: c.Team, Description: c.Description}, "Created the team "+c.Team+" of "+c.Org)
}

type teamsRmCmd struct{ team }

func (c *teamsRmCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", c.path(), nil, "Deleted the team "+c.Team+" of "+c.Org)
}

type teamsAddCmd struct {
	team
	User string `arg:"" help:"Login name of a member of the organization."`
}

func (c *teamsAddCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("PUT", c.path()+client.Path("members", c.User), nil, "Added "+c.User+" to the team "+c.Team)
}

type teamsRemoveCmd struct {
	team
	User string `arg:"" help:"Login name."`
}

func (c *teamsRemoveCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", c.path()+client.Path("members", c.User), nil, "Removed "+c.User+" from the team "+c.Team)
}

package accounts

import (
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Orgs are the commands on organizations.
type Orgs struct {
	Ls      orgsLsCmd      `cmd:"" help:"List your organizations, or all of them if you are an administrator."`
	Create  orgsCreateCmd  `cmd:"" help:"Create an organization. You own it, unless --owner names somebody else."`
	Show    orgsShowCmd    `cmd:"" help:"Show an organization."`
	Members orgsMembersCmd `cmd:"" help:"List, add and remove members."`
	Robots  orgsRobotsCmd  `cmd:"" help:"List, create and delete robot accounts."`
}

type orgsLsCmd struct{ console.Target }

func (c *orgsLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, "/orgs", client.Paged(), "No organizations.", []string{"NAME", "YOUR ROLE"}, func(o apitypes.Organization) []string {
		return []string{o.Name, o.Role}
	})
}

type orgsCreateCmd struct {
	console.Target
	Name  string `arg:"" help:"Name of the organization, and of its namespace."`
	Owner string `help:"Login name of the first owner; default: you." placeholder:"NAME"`
}

func (c *orgsCreateCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	body := map[string]string{"name": c.Name}
	if c.Owner != "" {
		body["owner"] = c.Owner
	}
	return a.Change("POST", "/orgs", body, "Created the organization "+c.Name)
}

type orgsShowCmd struct {
	console.Target
	Name string `arg:"" help:"Name of the organization."`
}

func (c *orgsShowCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Show(a, client.Path("orgs", c.Name), func(o apitypes.Organization) [][]string {
		return [][]string{{"name", o.Name}, {"your role", o.Role}}
	})
}

type orgsMembersCmd struct {
	Ls  orgsMembersLsCmd  `cmd:"" help:"List the members."`
	Add orgsMembersAddCmd `cmd:"" help:"Make a user a member or an owner."`
	Rm  orgsMembersRmCmd  `cmd:"" help:"Remove a member from the organization and from its teams."`
}

type orgsMembersLsCmd struct {
	console.Target
	Org string `arg:"" help:"Name of the organization."`
}

func (c *orgsMembersLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, client.Path("orgs", c.Org, "members"), nil, "No members.", []string{"NAME", "ROLE"}, func(m apitypes.Member) []string {
		return []string{m.Name, m.Role}
	})
}

type orgsMembersAddCmd struct {
	console.Target
	Org  string `arg:"" help:"Name of the organization."`
	User string `arg:"" help:"Login name."`
	Role string `help:"The user's role: ${enum}. An owner may do everything in the organization." enum:"member,owner" default:"member"`
}

func (c *orgsMembersAddCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("PUT", client.Path("orgs", c.Org, "members", c.User), apitypes.SetMemberRequest{Role: c.Role}, c.User+" now has the role "+c.Role+" in "+c.Org)
}

type orgsMembersRmCmd struct {
	console.Target
	Org  string `arg:"" help:"Name of the organization."`
	User string `arg:"" help:"Login name."`
}

func (c *orgsMembersRmCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", client.Path("orgs", c.Org, "members", c.User), nil, c.User+" is no longer a member of "+c.Org)
}

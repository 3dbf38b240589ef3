package cmd

import "hubledger/services/internal/apitypes"

type orgsCmd struct {
	Ls      orgsLsCmd      `cmd:"" help:"List your organizations, or all of them if you are an administrator."`
	Create  orgsCreateCmd  `cmd:"" help:"Create an organization. You own it, unless --owner names somebody else."`
	Show    orgsShowCmd    `cmd:"" help:"Show an organization."`
	Members orgsMembersCmd `cmd:"" help:"List, add and remove members."`
	Robots  orgsRobotsCmd  `cmd:"" help:"List, create and delete robot accounts."`
}

type orgsLsCmd struct{ target }

func (c *orgsLsCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return list(a, "/orgs", paged(), "No organizations.", []string{"NAME", "YOU ARE"}, func(o apitypes.Organization) []string {
		return []string{o.Name, o.Role}
	})
}

type orgsCreateCmd struct {
	target
	Name  string `arg:"" help:"Name of the organization, and of its namespace."`
	Owner string `help:"Login name of the first owner; default: you." placeholder:"NAME"`
}

func (c *orgsCreateCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	body := map[string]string{"name": c.Name}
	if c.Owner != "" {
		body["owner"] = c.Owner
	}
	return a.change("POST", "/orgs", body, "Created the organization "+c.Name)
}

type orgsShowCmd struct {
	target
	Name string `arg:"" help:"Name of the organization."`
}

func (c *orgsShowCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return show(a, path("orgs", c.Name), nil, func(o apitypes.Organization) [][]string {
		return [][]string{{"name", o.Name}, {"you are", o.Role}}
	})
}

type orgsMembersCmd struct {
	Ls  orgsMembersLsCmd  `cmd:"" help:"List the members."`
	Add orgsMembersAddCmd `cmd:"" help:"Make a user a member or an owner."`
	Rm  orgsMembersRmCmd  `cmd:"" help:"Remove a member from the organization and from its teams."`
}

type orgsMembersLsCmd struct {
	target
	Org string `arg:"" help:"Name of the organization."`
}

func (c *orgsMembersLsCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return list(a, path("orgs", c.Org, "members"), nil, "No members.", []string{"NAME", "ROLE"}, func(m apitypes.Member) []string {
		return []string{m.Name, m.Role}
	})
}

type orgsMembersAddCmd struct {
	target
	Org  string `arg:"" help:"Name of the organization."`
	User string `arg:"" help:"Login name."`
	Role string `help:"The user's role: ${enum}. An owner may do everything in the organization." enum:"member,owner" default:"member"`
}

func (c *orgsMembersAddCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("PUT", path("orgs", c.Org, "members", c.User), apitypes.SetMemberRequest{Role: c.Role}, c.User+" now has the role "+c.Role+" in "+c.Org)
}

type orgsMembersRmCmd struct {
	target
	Org  string `arg:"" help:"Name of the organization."`
	User string `arg:"" help:"Login name."`
}

func (c *orgsMembersRmCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("DELETE", path("orgs", c.Org, "members", c.User), nil, c.User+" is no longer a member of "+c.Org)
}

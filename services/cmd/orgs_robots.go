package cmd

import "hubledger/services/internal/apitypes"

type orgsRobotsCmd struct {
	Ls     orgsRobotsLsCmd     `cmd:"" help:"List the robot accounts."`
	Create orgsRobotsCreateCmd `cmd:"" help:"Create a robot account. Create a token for it with: tokens create TOKEN --for ORG+NAME"`
	Rm     orgsRobotsRmCmd     `cmd:"" help:"Delete a robot account with its tokens and grants."`
}

type orgsRobotsLsCmd struct {
	target
	Org string `arg:"" help:"Name of the organization."`
}

func (c *orgsRobotsLsCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return list(a, path("orgs", c.Org, "robots"), nil, "No robot accounts.", []string{"NAME", "CREATED", "DESCRIPTION"}, func(r apitypes.Robot) []string {
		return []string{r.Name, at(&r.Created), r.Description}
	})
}

type orgsRobotsCreateCmd struct {
	target
	Org         string `arg:"" help:"Name of the organization."`
	Name        string `arg:"" help:"Name without the organization, such as ci; the account logs in as ORG+ci."`
	Description string `help:"What the account is for." placeholder:"TEXT"`
}

func (c *orgsRobotsCreateCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("POST", path("orgs", c.Org, "robots"), apitypes.NameRequest{Name: c.Name, Description: c.Description}, "Created the robot account "+c.Org+"+"+c.Name)
}

type orgsRobotsRmCmd struct {
	target
	Org  string `arg:"" help:"Name of the organization."`
	Name string `arg:"" help:"Name without the organization, such as ci."`
}

func (c *orgsRobotsRmCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("DELETE", path("orgs", c.Org, "robots", c.Name), nil, "Deleted the robot account "+c.Org+"+"+c.Name)
}

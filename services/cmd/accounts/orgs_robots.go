package accounts

import (
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type orgsRobotsCmd struct {
	Ls     orgsRobotsLsCmd     `cmd:"" help:"List the robot accounts."`
	Create orgsRobotsCreateCmd `cmd:"" help:"Create a robot account. Create a token for it with: tokens create TOKEN --for ORG+NAME"`
	Rm     orgsRobotsRmCmd     `cmd:"" help:"Delete a robot account with its tokens and grants."`
}

type orgsRobotsLsCmd struct {
	console.Target
	Org string `arg:"" help:"Name of the organization."`
}

func (c *orgsRobotsLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, client.Path("orgs", c.Org, "robots"), client.Paged(), "No robot accounts yet. Create one: hubledger orgs robots create "+c.Org+" NAME", []string{"NAME", "CREATED", "DESCRIPTION"}, func(r apitypes.Robot) []string {
		return []string{r.Name, console.Time(&r.Created), r.Description}
	})
}

type orgsRobotsCreateCmd struct {
	console.Target
	Org         string `arg:"" help:"Name of the organization."`
	Name        string `arg:"" help:"Name without the organization, such as ci; the account logs in as ORG+ci."`
	Description string `help:"What the account is for." placeholder:"TEXT"`
}

func (c *orgsRobotsCreateCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("POST", client.Path("orgs", c.Org, "robots"), apitypes.NameRequest{Name: c.Name, Description: c.Description}, "Created the robot account "+c.Org+"+"+c.Name)
}

type orgsRobotsRmCmd struct {
	console.Target
	Org  string `arg:"" help:"Name of the organization."`
	Name string `arg:"" help:"Name without the organization, such as ci."`
}

func (c *orgsRobotsRmCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", client.Path("orgs", c.Org, "robots", c.Name), nil, "Deleted the robot account "+c.Org+"+"+c.Name)
}

package repositories

import (
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type reposGrantsCmd struct {
	Ls       reposGrantsLsCmd       `cmd:"" help:"List who has been granted a role."`
	Give     reposGrantsGiveCmd     `cmd:"" help:"Grant a role."`
	Withdraw reposGrantsWithdrawCmd `cmd:"" help:"Withdraw a role."`
}

// granting holds what a role applies to: a repository, or a whole namespace.
type granting struct {
	console.Target
	Name string `arg:"" help:"Repository such as acme/app, or acme/ for all present and future repositories of acme."`
}

func (g *granting) path() string {
	if namespace, ok := strings.CutSuffix(g.Name, "/"); ok {
		return client.Path("namespaces", namespace, "grants")
	}
	return client.RepositoryPath(g.Name) + "/grants"
}

// grantee holds who has a role: a user, or a robot account or team of the
// namespace.
type grantee struct {
	Who string `arg:"" help:"User such as alice, robot account such as acme+ci, or team:NAME."`
}

func (g *grantee) path() string {
	if team, ok := strings.CutPrefix(g.Who, "team:"); ok {
		return client.Path("team", team)
	}
	if strings.Contains(g.Who, "+") {
		return client.Path("robot", g.Who)
	}
	return client.Path("user", g.Who)
}

type reposGrantsLsCmd struct {
	granting
	AsOf string `help:"As of a time such as 2026-11-01T12:00:00Z, or of when the event of that sequence was the last, such as s12345." placeholder:"WHEN"`
}

func (c *reposGrantsLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, c.path(), client.AsOf(c.AsOf), "No grants. Owners of the namespace have all rights without one.", []string{"WHO", "ROLE", "SINCE", "BY"}, func(g apitypes.Grant) []string {
		if g.Kind == "team" {
			g.Name = "team:" + g.Name
		}
		return []string{g.Name, g.Role, console.Time(&g.Since), g.By}
	})
}

type reposGrantsGiveCmd struct {
	granting
	grantee
	Role string `arg:"" help:"${enum}: read allows pulling; write also pushing, and deleting tags and images; admin also changing settings and grants." enum:"read,write,admin"`
}

func (c *reposGrantsGiveCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("PUT", c.granting.path()+c.grantee.path(), apitypes.RoleRequest{Role: c.Role}, c.Who+" now has the role "+c.Role+" on "+c.Name)
}

type reposGrantsWithdrawCmd struct {
	granting
	grantee
}

func (c *reposGrantsWithdrawCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", c.granting.path()+c.grantee.path(), nil, "Withdrew the role of "+c.Who+" on "+c.Name)
}

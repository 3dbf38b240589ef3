package cmd

import (
	"strings"

	"hubledger/services/internal/apitypes"
)

type reposGrantsCmd struct {
	Ls       reposGrantsLsCmd       `cmd:"" help:"List who was given a role."`
	Give     reposGrantsGiveCmd     `cmd:"" help:"Give a role."`
	Withdraw reposGrantsWithdrawCmd `cmd:"" help:"Take a role back."`
}

// A granting is where grants are: on a repository, or on a whole namespace.
type granting struct {
	target
	Name string `arg:"" help:"Repository such as acme/app, or acme/ for all that acme has and will have."`
}

func (g *granting) path() string {
	if namespace, ok := strings.CutSuffix(g.Name, "/"); ok {
		return path("namespaces", namespace, "grants")
	}
	return repositoryPath(g.Name) + "/grants"
}

// A grantee is who has a role: a user, a robot account of the namespace by its
// login name, or a team of it.
type grantee struct {
	Who string `arg:"" help:"alice, acme+ci for a robot account, or team:NAME for a team."`
}

func (g *grantee) path() string {
	if team, ok := strings.CutPrefix(g.Who, "team:"); ok {
		return path("team", team)
	}
	if strings.Contains(g.Who, "+") {
		return path("robot", g.Who)
	}
	return path("user", g.Who)
}

type reposGrantsLsCmd struct{ granting }

func (c *reposGrantsLsCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return list(a, c.path(), nil, "No grants. Whoever owns the namespace needs none.", []string{"WHO", "ROLE"}, func(g apitypes.Grant) []string {
		if g.Kind == "team" {
			g.Name = "team:" + g.Name
		}
		return []string{g.Name, g.Role}
	})
}

type reposGrantsGiveCmd struct {
	granting
	grantee
	Role string `arg:"" help:"${enum}: read pulls; write pushes and deletes tags and images; admin also changes settings and grants." enum:"read,write,admin"`
}

func (c *reposGrantsGiveCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("PUT", c.granting.path()+c.grantee.path(), apitypes.RoleRequest{Role: c.Role}, c.Who+" has the role "+c.Role+" on "+c.Name)
}

type reposGrantsWithdrawCmd struct {
	granting
	grantee
}

func (c *reposGrantsWithdrawCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return a.change("DELETE", c.granting.path()+c.grantee.path(), nil, c.Who+" has no role on "+c.Name+" any more")
}

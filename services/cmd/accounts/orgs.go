package accounts

import (
	"errors"
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Orgs are the commands on organizations.
type Orgs struct {
	Ls          orgsLsCmd          `cmd:"" help:"List your organizations, or all of them if you are an administrator."`
	Create      orgsCreateCmd      `cmd:"" help:"Create an organization. You own it, unless --owner names somebody else."`
	Show        orgsShowCmd        `cmd:"" help:"Show an organization."`
	Members     orgsMembersCmd     `cmd:"" help:"List, add and remove members; leave an organization."`
	Invitations orgsInvitationsCmd `cmd:"" help:"List, accept, decline and withdraw invitations."`
	Robots      orgsRobotsCmd      `cmd:"" help:"List, create and delete robot accounts."`
}

type orgsLsCmd struct{ console.Target }

func (c *orgsLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, "/orgs", client.Paged(), "No organizations yet. Create one: hubledger orgs create NAME", []string{"NAME", "YOUR ROLE", "OWNER"}, func(o apitypes.Organization) []string {
		return []string{o.Name, o.Role, console.If(o.Ownerless, noOwner)}
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
	if c.Owner == "" && a.User() == "" {
		return errors.New("the operator owns no organizations: name the first owner with --owner NAME")
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
		return [][]string{{"name", o.Name}, {"your role", o.Role}, {"owner", console.If(o.Ownerless, noOwner)}}
	})
}

const noOwner = "nobody: an administrator of the hub has to name one"

type orgsMembersCmd struct {
	Ls  orgsMembersLsCmd  `cmd:"" help:"List the members."`
	Add orgsMembersAddCmd `cmd:"" help:"Make a user a member, or invite them to become an owner."`
	Rm  orgsMembersRmCmd  `cmd:"" help:"Remove a member from the organization and from its teams; with your own name, leave."`
}

type orgsMembersLsCmd struct {
	console.Target
	asOf
	Org string `arg:"" help:"Name of the organization."`
}

func (c *orgsMembersLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, client.Path("orgs", c.Org, "members"), c.query(), "No members.", []string{"NAME", "ROLE"}, func(m apitypes.Member) []string {
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
	return changeMember(a, "PUT", c.Org, c.User, apitypes.SetMemberRequest{Role: c.Role}, c.User+" now has the role "+c.Role+" in "+c.Org)
}

// changeMember sends a change of an organization's members and prints done, or
// that the user has been invited.
func changeMember(a *console.API, method, org, user string, body any, done string) error {
	return console.Send(a, method, client.Path("orgs", org, "members", user), body, func(v apitypes.MemberChange) error {
		if v.Invited {
			done = user + " is invited, and has 30 days to accept by `hubledger orgs invitations accept " + org + "`"
		}
		_, err := fmt.Fprintf(a.Session.Out, "%s (event %d).\n", done, v.Seq)
		if err == nil && v.Ownerless {
			_, err = fmt.Fprintf(a.Session.Out, "%s has no owner now: an administrator of the hub has to name one.\n", org)
		}
		return err
	})
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
	return changeMember(a, "DELETE", c.Org, c.User, nil, c.User+" is no longer a member of "+c.Org)
}

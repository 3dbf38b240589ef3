package accounts

import (
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type orgsInvitationsCmd struct {
	Ls       invitationsLsCmd       `cmd:"" help:"List the organizations that you are invited to, or who is invited to one."`
	Accept   invitationsAcceptCmd   `cmd:"" help:"Accept an invitation."`
	Decline  invitationsDeclineCmd  `cmd:"" help:"Decline an invitation."`
	Withdraw invitationsWithdrawCmd `cmd:"" help:"Withdraw an invitation to an organization that you own."`
}

type invitationsLsCmd struct {
	console.Target
	Org string `arg:"" optional:"" help:"Organization that you own; default: invitations to you."`
}

func (c *invitationsLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	where := client.Path("user", "invitations")
	if c.Org != "" {
		where = client.Path("orgs", c.Org, "invitations")
	}
	return console.List(a, where, nil, "No invitations.", []string{"ORGANIZATION", "USER", "ROLE", "INVITED BY", "EXPIRES"}, func(v apitypes.Invitation) []string {
		return []string{v.Organization, v.User, v.Role, v.Inviter, console.Time(&v.Expires)}
	})
}

// invitation holds the argument that names the organization of an invitation.
type invitation struct {
	console.Target
	Org string `arg:"" help:"Name of the organization."`
}

type invitationsAcceptCmd struct{ invitation }

func (c *invitationsAcceptCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("POST", client.Path("user", "invitations", c.Org, "acceptance"), nil, "Accepted the invitation to "+c.Org)
}

type invitationsDeclineCmd struct{ invitation }

func (c *invitationsDeclineCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", client.Path("user", "invitations", c.Org), nil, "Declined the invitation to "+c.Org)
}

type invitationsWithdrawCmd struct {
	invitation
	User string `arg:"" help:"Login name of the invited user."`
}

func (c *invitationsWithdrawCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", client.Path("orgs", c.Org, "invitations", c.User), nil, "Withdrew the invitation of "+c.User+" to "+c.Org)
}

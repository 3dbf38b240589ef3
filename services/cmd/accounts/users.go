// Package accounts has the commands on users, organizations, teams, robot accounts
// and access tokens.
package accounts

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Users are the commands on users.
type Users struct {
	Ls            usersLsCmd            `cmd:"" help:"List users."`
	Create        usersCreateCmd        `cmd:"" help:"Create a user. Without --password-stdin a password is generated and shown once."`
	Show          usersShowCmd          `cmd:"" help:"Show a user; default: yourself."`
	Set           usersSetCmd           `cmd:"" help:"Make a user an administrator, disable a user, or undo either."`
	ResetPassword usersResetPasswordCmd `cmd:"" help:"Set a password: your own, or anyone's if you are an administrator."`
	Email         usersEmailCmd         `cmd:"" help:"Show, set or remove the e-mail address of a user."`
	SecondFactor  usersSecondFactorCmds `cmd:"" help:"Show or turn off the second factor of a user, which is turned on in a browser."`
	Erase         usersEraseCmd         `cmd:"" help:"Erase a user for good. The login name is never given to anyone else."`
}

// status is the status of a user: erased, disabled, administrator or user. The hub
// shows only to administrators and to the user whether the user is disabled or an
// administrator; to others every user that is not erased is "user".
func status(u apitypes.User) string {
	switch {
	case u.Erased:
		return "erased"
	case u.Disabled != nil && *u.Disabled:
		return "disabled"
	case u.Admin != nil && *u.Admin:
		return "administrator"
	}
	return "user"
}

// emailStored says whether the hub stores an e-mail address of the user; it shows
// that only to administrators and to the user.
func emailStored(u apitypes.User) string {
	return console.If(u.HasEmail != nil && *u.HasEmail, "stored")
}

func userFacts(u apitypes.User) [][]string {
	return [][]string{{"name", u.Name}, {"status", status(u)}, {"created", console.Time(u.Created)}, {"e-mail", emailStored(u)}, {"id", u.ID}}
}

type usersLsCmd struct{ console.Target }

func (c *usersLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, "/users", client.Paged(), "No users.", []string{"NAME", "STATUS", "CREATED", "E-MAIL"}, func(u apitypes.User) []string {
		return []string{u.Name, status(u), console.Time(u.Created), emailStored(u)}
	})
}

type usersShowCmd struct {
	console.Target
	Name string `arg:"" optional:"" help:"Login name; default: yours."`
}

func (c *usersShowCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if c.Name != "" {
		return console.Show(a, client.Path("users", c.Name), userFacts)
	}
	return console.Show(a, "/user", func(w apitypes.Whoami) [][]string {
		facts := [][]string{{"name", w.Name}, {"kind", w.Kind}}
		if w.User != nil {
			facts = userFacts(*w.User)
		}
		return append(facts, []string{"level", w.Level}, []string{"limited to", strings.Join(w.Repositories, ", ")})
	})
}

type usersCreateCmd struct {
	console.Target
	Name          string `arg:"" help:"Login name: lower-case letters, digits, and single . _ - between them."`
	Admin         bool   `help:"Make the user an administrator of the hub."`
	Email         string `help:"E-mail address; stored encrypted, outside the log." placeholder:"ADDRESS"`
	PasswordStdin bool   `help:"Read the password from standard input."`
}

func (c *usersCreateCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	body := apitypes.CreateUserRequest{Name: c.Name, Admin: c.Admin, Email: c.Email}
	if c.PasswordStdin {
		if body.Password, err = s.Secret("", true); err != nil {
			return err
		}
	}
	return console.Send(a, "POST", "/users", body, func(u apitypes.CreatedUser) error {
		_, err := fmt.Fprintf(s.Out, "Created the user %s (event %d).\n", u.Name, u.Seq)
		if u.Password != "" {
			_, err = fmt.Fprintf(s.Out, "Password, shown this once: %s\n", u.Password)
		}
		return err
	})
}

type usersSetCmd struct {
	console.Target
	Name     string `arg:"" help:"Login name."`
	Admin    *bool  `help:"Make the user an administrator of the hub, or no longer one." negatable:""`
	Disabled *bool  `name:"disable" help:"Disable the user: no credential of theirs is accepted. --no-disable enables the user again." negatable:""`
}

// Validate is called by kong.
func (c *usersSetCmd) Validate() error {
	if c.Admin == nil && c.Disabled == nil {
		return errors.New("say what to set: --[no-]admin, --[no-]disable")
	}
	return nil
}

func (c *usersSetCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	body := apitypes.StandingRequest{Admin: c.Admin, Disabled: c.Disabled}
	return a.Change("PATCH", client.Path("users", c.Name), body, "Changed "+c.Name)
}

package cmd

import (
	"encoding/json"
	"errors"
	"fmt"

	"hubledger/services/internal/apitypes"
)

type usersCmd struct {
	Ls            usersLsCmd            `cmd:"" help:"List users."`
	Create        usersCreateCmd        `cmd:"" help:"Create a user. Without --password-stdin a password is generated and shown once."`
	Show          usersShowCmd          `cmd:"" help:"Show a user; default: yourself."`
	Set           usersSetCmd           `cmd:"" help:"Make a user an administrator, disable a user, or undo either."`
	ResetPassword usersResetPasswordCmd `cmd:"" help:"Set a password: your own, or anyone's if you are an administrator."`
	Email         usersEmailCmd         `cmd:"" help:"Show, set or remove the e-mail address of a user."`
	Erase         usersEraseCmd         `cmd:"" help:"Erase a user for good. The login name is never given to anyone else."`
}

// standing says what a user is. What others than the user and administrators
// are not shown is absent.
func standing(u apitypes.User) string {
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

func keptEmail(u apitypes.User) string { return yes(u.HasEmail != nil && *u.HasEmail, "kept") }

func userFacts(u apitypes.User) [][]string {
	return [][]string{{"name", u.Name}, {"is", standing(u)}, {"created", at(u.Created)}, {"e-mail", keptEmail(u)}, {"id", u.ID}}
}

type usersLsCmd struct{ target }

func (c *usersLsCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	return list(a, "/users", paged(), "No users.", []string{"NAME", "IS", "CREATED", "E-MAIL"}, func(u apitypes.User) []string {
		return []string{u.Name, standing(u), at(u.Created), keptEmail(u)}
	})
}

type usersShowCmd struct {
	target
	Name string `arg:"" optional:"" help:"Login name; default: yours."`
}

func (c *usersShowCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	if c.Name != "" {
		return show(a, path("users", c.Name), nil, userFacts)
	}
	return show(a, "/user", nil, func(w apitypes.Whoami) [][]string {
		facts := [][]string{{"name", w.Name}, {"is", w.Kind}}
		if w.User != nil {
			facts = userFacts(*w.User)
		}
		return append(facts, []string{"level", w.Level}, []string{"limited to", join(w.Repositories)})
	})
}

type usersCreateCmd struct {
	target
	Name          string `arg:"" help:"Login name: lower-case letters, digits, and single . _ - between them."`
	Admin         bool   `help:"Make the user an administrator of the hub."`
	Email         string `help:"E-mail address; stored encrypted, outside the log." placeholder:"ADDRESS"`
	PasswordStdin bool   `help:"Read the password from standard input."`
}

func (c *usersCreateCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	body := apitypes.CreateUserRequest{Name: c.Name, Admin: c.Admin, Email: c.Email}
	if c.PasswordStdin {
		if body.Password, err = s.secret("", true); err != nil {
			return err
		}
	}
	raw, err := a.do("POST", "/users", nil, body)
	if err != nil || s.json {
		return s.rawOr(raw, err)
	}
	var u apitypes.CreatedUser
	if err := json.Unmarshal(raw, &u); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	fmt.Fprintf(s.out, "Created the user %s (event %d).\n", u.Name, u.Seq)
	if u.Password != "" {
		fmt.Fprintf(s.out, "Password, shown this once: %s\n", u.Password)
	}
	return nil
}

type usersSetCmd struct {
	target
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

func (c *usersSetCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	body := apitypes.StandingRequest{Admin: c.Admin, Disabled: c.Disabled}
	return a.change("PATCH", path("users", c.Name), body, "Changed "+c.Name)
}

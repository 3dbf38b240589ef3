package cmd

import (
	"crypto/rand"
	"errors"
	"fmt"

	"hubledger/services/internal/apitypes"
)

type usersResetPasswordCmd struct {
	target
	Name          string `arg:"" help:"Login name."`
	PasswordStdin bool   `help:"Read the new password from standard input. To change your own, put the current one on a line before it."`
	Generate      bool   `help:"Generate a password and show it once."`
}

// Run asks for the current password only when people change their own: an
// administrator does not know the passwords of others.
func (c *usersResetPasswordCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	var body apitypes.PasswordRequest
	if a.User == c.Name {
		if body.Old, err = s.secret("Current password", c.PasswordStdin); err != nil {
			return err
		}
	}
	made := ""
	if c.Generate {
		made = rand.Text()
		body.New = made
	} else if body.New, err = s.newSecret("New password", c.PasswordStdin); err != nil {
		return err
	}
	if s.json && c.Generate {
		if _, err = a.do("PUT", path("users", c.Name, "password"), nil, body); err != nil {
			return err
		}
		return s.print(map[string]string{"name": c.Name, "password": made})
	}
	if err := a.change("PUT", path("users", c.Name, "password"), body, "Changed the password of "+c.Name); err != nil {
		return err
	}
	if made != "" {
		_, err = fmt.Fprintf(s.out, "Password, shown this once: %s\n", made)
	}
	return err
}

type usersEmailCmd struct {
	target
	Name    string `arg:"" help:"Login name."`
	Address string `arg:"" optional:"" help:"New address; without it, show the stored one."`
	Remove  bool   `help:"Destroy the stored address."`
}

// Validate is called by kong.
func (c *usersEmailCmd) Validate() error {
	if c.Remove && c.Address != "" {
		return errors.New("give either an address or --remove, not both")
	}
	return nil
}

func (c *usersEmailCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	at := path("users", c.Name, "email")
	switch {
	case c.Remove:
		return a.change("DELETE", at, nil, "Destroyed the e-mail address of "+c.Name)
	case c.Address != "":
		return a.change("PUT", at, apitypes.Email{Email: c.Address}, "Stored the e-mail address of "+c.Name)
	}
	return show(a, at, nil, func(e apitypes.Email) [][]string {
		if e.Email == "" {
			return [][]string{{"e-mail", "none is kept"}}
		}
		return [][]string{{"e-mail", e.Email}}
	})
}

type usersEraseCmd struct {
	target
	Name          string `arg:"" help:"Login name."`
	Confirm       string `help:"The login name once more, as confirmation; asked for when missing." placeholder:"NAME"`
	PasswordStdin bool   `help:"Read your own password from standard input; only needed to erase yourself."`
}

func (c *usersEraseCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	body := apitypes.EraseRequest{Confirm: c.Confirm}
	if c.Confirm == "" {
		if body.Confirm, err = s.question("This cannot be undone. To confirm, type the login name of the user to erase"); err != nil {
			return fmt.Errorf("%w: give the login name once more with --confirm", err)
		}
	}
	if body.Confirm != c.Name {
		return errors.New("the confirmation is not " + c.Name + "; nothing was changed")
	}
	if a.User == c.Name {
		if body.Password, err = s.secret("Your password", c.PasswordStdin); err != nil {
			return err
		}
	}
	return a.change("POST", path("users", c.Name, "erasure"), body, "Erased "+c.Name)
}

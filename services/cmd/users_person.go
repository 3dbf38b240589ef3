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
	PasswordStdin bool   `help:"Read the new password from standard input; before it, on a line of its own, the old one when it is yours."`
	Generate      bool   `help:"Make a password and show it once."`
}

// Run asks for the old password only of those who change their own: whoever
// administers the hub does not know the other's.
func (c *usersResetPasswordCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	var body apitypes.PasswordRequest
	if a.User == c.Name {
		if body.Old, err = s.secret("Password so far", c.PasswordStdin); err != nil {
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
	Address string `arg:"" optional:"" help:"New address; without it the one that is kept is shown."`
	Remove  bool   `help:"Destroy the address."`
}

// Validate is called by kong.
func (c *usersEmailCmd) Validate() error {
	if c.Remove && c.Address != "" {
		return errors.New("either an address or --remove")
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
		return a.change("PUT", at, apitypes.Email{Email: c.Address}, "Keeping an e-mail address of "+c.Name)
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
	Confirm       string `help:"The login name once more; asked for when missing." placeholder:"NAME"`
	PasswordStdin bool   `help:"Read your password from standard input, when you erase yourself."`
}

func (c *usersEraseCmd) Run(s *session) error {
	a, err := c.api(s)
	if err != nil {
		return err
	}
	body := apitypes.EraseRequest{Confirm: c.Confirm}
	if c.Confirm == "" {
		if body.Confirm, err = s.question("This cannot be undone. Login name of whom to erase, once more"); err != nil {
			return fmt.Errorf("%w: give the login name once more with --confirm", err)
		}
	}
	if body.Confirm != c.Name {
		return errors.New("that is not " + c.Name + "; nothing is changed")
	}
	if a.User == c.Name {
		if body.Password, err = s.secret("Your password", c.PasswordStdin); err != nil {
			return err
		}
	}
	return a.change("POST", path("users", c.Name, "erasure"), body, "Erased "+c.Name)
}

package accounts

import (
	"crypto/rand"
	"errors"
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type usersResetPasswordCmd struct {
	console.Target
	Name          string `arg:"" help:"Login name."`
	PasswordStdin bool   `help:"Read the new password from standard input. To change your own, put the current one on a line before it."`
	Generate      bool   `help:"Generate a password and show it once."`
}

// Run asks for the current password only when people change their own: an
// administrator does not know the passwords of others.
func (c *usersResetPasswordCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	var body apitypes.PasswordRequest
	if a.User() == c.Name {
		if body.Old, err = s.Secret("Current password", c.PasswordStdin); err != nil {
			return err
		}
	}
	where, made := client.Path("users", c.Name, "password"), ""
	if c.Generate {
		made = rand.Text()
		body.New = made
	} else if body.New, err = s.NewSecret("New password", c.PasswordStdin); err != nil {
		return err
	}
	if s.JSON && c.Generate {
		if err = a.Do("PUT", where, body); err != nil {
			return err
		}
		return s.Print(map[string]string{"name": c.Name, "password": made})
	}
	if err := a.Change("PUT", where, body, "Changed the password of "+c.Name); err != nil {
		return err
	}
	if made != "" {
		_, err = fmt.Fprintf(s.Out, "Password, shown this once: %s\n", made)
	}
	return err
}

type usersEmailCmd struct {
	console.Target
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

func (c *usersEmailCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	where := client.Path("users", c.Name, "email")
	switch {
	case c.Remove:
		return a.Change("DELETE", where, nil, "Destroyed the e-mail address of "+c.Name)
	case c.Address != "":
		return a.Change("PUT", where, apitypes.Email{Email: c.Address}, "Stored the e-mail address of "+c.Name)
	}
	return console.Show(a, where, func(e apitypes.Email) [][]string {
		if e.Email == "" {
			return [][]string{{"e-mail", "none is stored"}}
		}
		return [][]string{{"e-mail", e.Email}}
	})
}

type usersEraseCmd struct {
	console.Target
	Name          string `arg:"" help:"Login name."`
	Confirm       string `help:"The login name once more, as confirmation; asked for when missing." placeholder:"NAME"`
	PasswordStdin bool   `help:"Read your own password from standard input; only needed to erase yourself."`
}

func (c *usersEraseCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	body := apitypes.EraseRequest{Confirm: c.Confirm}
	if c.Confirm == "" {
		if body.Confirm, err = s.Question("This cannot be undone. To confirm, type the login name of the user to erase"); err != nil {
			return fmt.Errorf("%w: give the login name once more with --confirm", err)
		}
	}
	if body.Confirm != c.Name {
		return errors.New("the confirmation is not " + c.Name + "; nothing was changed")
	}
	if a.User() == c.Name {
		if body.Password, err = s.Secret("Your password", c.PasswordStdin); err != nil {
			return err
		}
	}
	return a.Change("POST", client.Path("users", c.Name, "erasure"), body, "Erased "+c.Name)
}

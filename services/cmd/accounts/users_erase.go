package accounts

import (
	"errors"
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

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

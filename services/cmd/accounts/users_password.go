package accounts

import (
	"crypto/rand"
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

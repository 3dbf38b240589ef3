package accounts

import (
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type usersSecondFactorCmds struct {
	Show usersSecondFactorShowCmd `cmd:"" help:"Say whether a user is asked for a code beside the password."`
	Off  usersSecondFactorOffCmd  `cmd:"" help:"Let the password alone be enough: your own, or anyone's if you are an administrator."`
}

type usersSecondFactorShowCmd struct {
	console.Target
	Name string `arg:"" help:"Login name."`
}

func (c *usersSecondFactorShowCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Show(a, client.Path("users", c.Name, "second-factor"), func(f apitypes.SecondFactor) [][]string {
		if !f.On {
			return [][]string{{"second factor", "off"}}
		}
		return [][]string{{"second factor", "on"}, {"recovery codes left", fmt.Sprint(f.RecoveryCodes)}}
	})
}

type usersSecondFactorOffCmd struct {
	console.Target
	Name          string `arg:"" help:"Login name."`
	PasswordStdin bool   `help:"Read your password from standard input, and a code or a recovery code from the line after it; only needed for your own second factor."`
}

// Run asks for password and code only when people turn off their own: administrators turn
// it off for those who have lost both authenticator and recovery codes.
func (c *usersSecondFactorOffCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	var body apitypes.SecondFactorRemoval
	if a.User() == c.Name {
		if body.Password, err = s.Secret("Your password", c.PasswordStdin); err != nil {
			return err
		}
		if body.Code, err = s.Secret("Code, or a recovery code", c.PasswordStdin); err != nil {
			return err
		}
	}
	return a.Change("POST", client.Path("users", c.Name, "second-factor", "removal"), body, "Turned off the second factor of "+c.Name)
}

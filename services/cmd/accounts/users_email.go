package accounts

import (
	"errors"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

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

package apps

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type configCmds struct {
	Ls  lsConfigCmd  `cmd:"" help:"List the values of an environment."`
	Set setConfigCmd `cmd:"" help:"Set values, which owners can read again: use a secret for what nobody is to read."`
	Rm  rmConfigCmd  `cmd:"" help:"Remove a value."`
}

type lsConfigCmd struct{ placed }

func (c *lsConfigCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "config")
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.Configuration) error {
		if len(v.Values) == 0 {
			_, err := fmt.Fprintf(s.Out, "%s of %s has no values.\n", c.Environment, c.App)
			return err
		}
		var rows [][]string
		for _, one := range v.Values {
			rows = append(rows, []string{one.Name, one.Value})
		}
		return s.Table([]string{"NAME", "VALUE"}, rows)
	})
}

type setConfigCmd struct {
	placed
	Values []string `arg:"" help:"KEY=VALUE, one or more." placeholder:"KEY=VALUE"`
}

func (c *setConfigCmd) Run(s *console.Session) error {
	for _, pair := range c.Values {
		if !strings.Contains(pair, "=") {
			return fmt.Errorf("%q has no value: write KEY=VALUE", pair)
		}
	}
	for _, pair := range c.Values {
		key, value, _ := strings.Cut(pair, "=")
		a, path, err := c.open(s, "config", key)
		if err != nil {
			return err
		}
		if err := a.Change("PUT", path, apitypes.SetConfigRequest{Value: value}, "Set "+key); err != nil {
			return err
		}
	}
	return nil
}

// key is the argument of commands on one value or secret.
type key struct {
	placed
	Key string `arg:"" help:"Name of the variable, such as DATABASE_URL." placeholder:"KEY"`
}

type rmConfigCmd struct{ key }

func (c *rmConfigCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "config", c.Key)
	if err != nil {
		return err
	}
	return a.Change("DELETE", path, nil, "Removed "+c.Key)
}

type secretCmds struct {
	Ls  lsSecretCmd  `cmd:"" help:"List the names of the secrets of an environment."`
	Set setSecretCmd `cmd:"" help:"Set a secret."`
	Rm  rmSecretCmd  `cmd:"" help:"Remove a secret."`
}

type lsSecretCmd struct{ placed }

func (c *lsSecretCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "config")
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.Configuration) error {
		if len(v.Secrets) == 0 {
			_, err := fmt.Fprintf(s.Out, "%s of %s has no secrets.\n", c.Environment, c.App)
			return err
		}
		for _, name := range v.Secrets {
			fmt.Fprintln(s.Out, name)
		}
		return nil
	})
}

type setSecretCmd struct {
	key
	FromFile string `help:"Take the value from this file, as it is; - is standard input. Without it you are asked, or the one line of standard input is taken." placeholder:"FILE"`
}

func (c *setSecretCmd) Run(s *console.Session) error {
	value, err := s.SecretValue(c.Key, c.FromFile)
	if err != nil {
		return err
	}
	if value == "" {
		return errors.New("the secret is empty")
	}
	a, path, err := c.open(s, "secrets", c.Key)
	if err != nil {
		return err
	}
	return a.Change("PUT", path, apitypes.SetConfigRequest{Value: value}, "Set the secret "+c.Key)
}

type rmSecretCmd struct{ key }

func (c *rmSecretCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "secrets", c.Key)
	if err != nil {
		return err
	}
	return a.Change("DELETE", path, nil, "Removed the secret "+c.Key)
}

package rules

import (
	"fmt"
	"net/url"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/redact"
)

type secretsCmds struct {
	Ls  secretsLsCmd  `cmd:"" help:"List the names of the secrets that builds of a repository may read."`
	Set secretsSetCmd `cmd:"" help:"Set a build secret."`
	Rm  secretsRmCmd  `cmd:"" help:"Destroy a build secret."`
}

type secretsLsCmd struct{ named }

func (c *secretsLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", client.RepositoryPath(c.Name)+"/build-secrets", nil, func(list apitypes.BuildSecrets) error {
		if len(list.Secrets) == 0 {
			_, err := fmt.Fprintf(s.Out, "Builds of %s have no secrets.\n", c.Name)
			return err
		}
		rows := make([][]string, len(list.Secrets))
		for k, one := range list.Secrets {
			rows[k] = []string{one.Name, console.If(one.ForFile, ".hubledger.yml, too"), console.Time(one.Changed), one.ChangedBy}
		}
		return s.Table([]string{"SECRET", "FOR", "SET", "BY"}, rows)
	})
}

// A secret is the argument of commands on one secret.
type secret struct {
	named
	Key string `arg:"" help:"Name of the secret, such as NPM_TOKEN." placeholder:"KEY"`
}

func (c *secret) path() string {
	return client.RepositoryPath(c.Name) + "/build-secrets/" + url.PathEscape(c.Key)
}

type secretsSetCmd struct {
	secret
	FromFile string `help:"Take the value from this file, as it is; - is standard input. Without it you are asked, or the one line of standard input is taken." placeholder:"FILE"`
	ForFile  bool   `help:"Rules in .hubledger.yml of a commit may name it, too. Whoever may push to the git repository can then read it."`
}

func (c *secretsSetCmd) Run(s *console.Session) error {
	value, err := s.SecretValue(c.Key, c.FromFile)
	if err != nil {
		return err
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if len(value) < redact.MinSecret {
		fmt.Fprintf(s.Err, "warning: builds would show this secret in their logs, since values of fewer than %d bytes are not masked\n", redact.MinSecret)
	}
	return a.Change("PUT", c.path(), apitypes.SetBuildSecretRequest{Value: value, ForFile: c.ForFile}, fmt.Sprintf("Set the secret %s for builds of %s", c.Key, c.Name))
}

type secretsRmCmd struct{ secret }

func (c *secretsRmCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", c.path(), nil, fmt.Sprintf("Destroyed the secret %s of builds of %s", c.Key, c.Name))
}

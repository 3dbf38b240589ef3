package rules

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"hubledger/services/builder/redact"
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildsecret"
)

type secretsCmds struct {
	Ls  secretsLsCmd  `cmd:"" help:"List the names of the secrets that builds of a repository may read."`
	Set secretsSetCmd `cmd:"" help:"Give a secret of builds a value."`
	Rm  secretsRmCmd  `cmd:"" help:"Destroy a secret of builds."`
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
	value, err := c.value(s)
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

func (c *secretsSetCmd) value(s *console.Session) (string, error) {
	switch c.FromFile {
	case "":
		if term.IsTerminal(int(os.Stdin.Fd())) {
			value, err := s.Secret("Value of "+c.Key, false)
			if err != nil {
				return "", err
			}
			return readValue(strings.NewReader(value))
		}
		return oneLine(os.Stdin)
	case "-":
		return readValue(os.Stdin)
	}
	f, err := os.Open(c.FromFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return readValue(f)
}

// oneLine is a value without the end of its line.
func oneLine(in io.Reader) (string, error) {
	value, err := readValue(in)
	if err != nil {
		return "", err
	}
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	switch {
	case strings.Contains(value, "\n"):
		return "", errors.New("standard input has more than one line: give all of it with --from-file -, or name a file with --from-file FILE")
	case value == "":
		return "", errors.New("standard input is empty: write the value to it, or name a file with --from-file FILE")
	}
	return value, nil
}

func readValue(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, buildsecret.MaxSize+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the value: %w", err)
	case !utf8.Valid(text) || strings.ContainsRune(string(text), 0):
		return "", errors.New("the value is no text: encode it, for instance with base64, and decode it in the Dockerfile")
	}
	return string(text), nil
}

type secretsRmCmd struct{ secret }

func (c *secretsRmCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", c.path(), nil, fmt.Sprintf("Destroyed the secret %s of builds of %s", c.Key, c.Name))
}

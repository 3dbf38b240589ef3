package sources

import (
	"errors"
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// gitCredentials are the options that say what a git host is shown.
type gitCredentials struct {
	Token      bool   `help:"Ask for a token or password, which is sent by https."`
	TokenStdin bool   `help:"Read the token from standard input."`
	User       string `help:"User name beside the token; default: what the kind of host expects." placeholder:"NAME"`
	DeployKey  bool   `help:"Make an SSH key for an ssh URL; the public half is printed."`
}

// given are the credentials that the options ask for; nil for none.
func (c gitCredentials) given(s *console.Session) (*apitypes.GitCredentials, error) {
	switch {
	case c.DeployKey:
		return &apitypes.GitCredentials{DeployKey: true, User: c.User}, nil
	case c.Token || c.TokenStdin:
		token, err := s.Secret("Token", c.TokenStdin)
		return &apitypes.GitCredentials{Token: token, User: c.User}, err
	case c.User != "":
		return nil, fmt.Errorf("--user goes with --token or --token-stdin")
	}
	return nil, nil
}

// statusOptions are the options that say whether a git host is told of builds.
type statusOptions struct {
	Status           string `help:"Whether the git host is told how builds of its commits go: on or off. With the token of the source, or one of its own." enum:"on,off," default:"" placeholder:"on|off"`
	StatusToken      bool   `help:"Ask for the token for that." xor:"statustoken"`
	StatusTokenStdin bool   `help:"Read it from standard input." xor:"statustoken"`
}

// token is the one for statuses; nil for none. stdin says that standard input has another one.
func (c statusOptions) token(s *console.Session, stdin bool) (*string, error) {
	switch {
	case !c.StatusToken && !c.StatusTokenStdin:
		return nil, nil
	case c.StatusTokenStdin && stdin:
		return nil, errors.New("standard input has one token: give --token-stdin or --status-token-stdin, and the other one with hubledger sources set")
	}
	token, err := s.Secret("Token for statuses", c.StatusTokenStdin)
	return &token, err
}

type linkCmd struct {
	named
	URL           string `arg:"" name:"url" help:"https, http or ssh URL of the git repository."`
	Host          string `help:"Kind of git host: github, gitlab, bitbucket (Cloud), bitbucket-server (Data Center), gitea (and Forgejo) or git." enum:"github,gitlab,bitbucket,bitbucket-server,gitea,git," default:"" placeholder:"KIND"`
	HostKey       string `help:"Key that the SSH host has to show, as in an authorized_keys file; default: the one that it shows first." placeholder:"KEY"`
	BuildExisting bool   `help:"Also build the branches and tags that are there now."`
	gitCredentials
	statusOptions
}

func (c *linkCmd) Run(s *console.Session) error {
	namespace, name, err := c.split()
	if err != nil {
		return err
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	credentials, err := c.given(s)
	if err != nil {
		return err
	}
	body := apitypes.LinkSourceRequest{Name: name, URL: c.URL, Host: c.Host, HostKey: c.HostKey, BuildExisting: c.BuildExisting, Status: c.Status == "on"}
	token, err := c.token(s, c.TokenStdin)
	if err != nil {
		return err
	}
	if token != nil {
		body.StatusToken = *token
	}
	if credentials != nil {
		body.Credentials = *credentials
	}
	return console.Send(a, "POST", client.Path("namespaces", namespace, "sources"), body, func(v apitypes.ChangedSource) error {
		return told(s, "Linked", v)
	})
}

// told prints what a git host has to know of a source that was linked or changed.
func told(s *console.Session, done string, v apitypes.ChangedSource) error {
	if _, err := fmt.Fprintf(s.Out, "%s %s to %s (event %d).\n", done, v.Name, v.URL, v.Seq); err != nil {
		return err
	}
	if v.DeployKey != "" {
		fmt.Fprintf(s.Out, "\nDeploy key, to be added to the git repository for reading:\n  %s\n", v.DeployKey)
	}
	if v.HookSecret != "" {
		fmt.Fprintf(s.Out, "\nWebhook, to be added to the git repository for pushes and tags:\n  URL:     %s\n  secret:  %s\nThe secret is not shown again.\n", v.WebhookURL, v.HookSecret)
	}
	return nil
}

type setCmd struct {
	named
	URL             *string `name:"url" help:"Other URL. On another host the source has no credentials but those that you give now." placeholder:"URL"`
	Host            *string `help:"Kind of git host: github, gitlab, bitbucket (Cloud), bitbucket-server (Data Center), gitea (and Forgejo) or git." placeholder:"KIND"`
	HostKey         *string `help:"Key that the SSH host has to show; empty to take the one that it shows next." placeholder:"KEY"`
	NewHookSecret   bool    `help:"Make a new secret for webhooks; the old one no longer works."`
	NoCredentials   bool    `help:"Take the credentials away."`
	BuildExisting   bool    `help:"Also build the branches and tags that were there when the source was linked." xor:"existing"`
	NoBuildExisting bool    `help:"Build only what moves." xor:"existing"`
	NoStatusToken   bool    `help:"Take the token for statuses away: that of the source is sent." xor:"statustoken"`
	gitCredentials
	statusOptions
}

func (c *setCmd) Run(s *console.Session) error {
	a, path, err := c.open(s)
	if err != nil {
		return err
	}
	body := apitypes.ChangeSourceRequest{URL: c.URL, Host: c.Host, HostKey: c.HostKey, HookSecret: c.NewHookSecret}
	if c.BuildExisting || c.NoBuildExisting {
		body.BuildExisting = &c.BuildExisting
	}
	if body.Credentials, err = c.given(s); err != nil {
		return err
	}
	if c.statusOptions.Status != "" {
		on := c.statusOptions.Status == "on"
		body.Status = &on
	}
	if body.StatusToken, err = c.token(s, c.TokenStdin); err != nil {
		return err
	}
	if c.NoStatusToken {
		body.StatusToken = new(string)
	}
	if c.NoCredentials {
		body.Credentials = &apitypes.GitCredentials{}
	}
	return console.Send(a, "PATCH", path, body, func(v apitypes.ChangedSource) error {
		if !c.DeployKey {
			v.DeployKey = "" // it is as before
		}
		return told(s, "Set", v)
	})
}

package accounts

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Tokens are the commands on access tokens.
type Tokens struct {
	Ls     tokensLsCmd     `cmd:"" help:"List access tokens."`
	Create tokensCreateCmd `cmd:"" help:"Create an access token. It is shown once."`
	Revoke tokensRevokeCmd `cmd:"" help:"Revoke an access token. Every node refuses it within a second."`
}

// owned holds the option that says whose tokens a command is about.
type owned struct {
	console.Target
	For string `help:"User such as alice, or robot account such as acme+ci; default: you." placeholder:"NAME"`
}

// tokens returns the hub, the API's path of the owner's tokens, and the owner.
func (o *owned) tokens(s *console.Session) (a *console.API, where, owner string, err error) {
	if a, err = o.API(s); err != nil {
		return nil, "", "", err
	}
	if owner = o.For; owner == "" {
		owner = a.User()
	}
	if owner == "" {
		return nil, "", "", errors.New("the operator has no tokens: name a user or robot account with --for")
	}
	if organization, robot, ok := strings.Cut(owner, "+"); ok {
		return a, client.Path("orgs", organization, "robots", robot, "tokens"), owner, nil
	}
	return a, client.Path("users", owner, "tokens"), owner, nil
}

type tokensLsCmd struct{ owned }

func (c *tokensLsCmd) Run(s *console.Session) error {
	a, where, owner, err := c.tokens(s)
	if err != nil {
		return err
	}
	return console.List(a, where, client.Paged(), "No tokens of "+owner+" yet. Create one: hubledger tokens create NAME"+console.If(c.For != "", " --for "+owner), []string{"ID", "NAME", "LEVEL", "REPOSITORIES", "ISSUED", "LAST USED", "EXPIRES"}, func(t apitypes.Token) []string {
		repositories := strings.Join(t.Repositories, ", ")
		if repositories == "" {
			repositories = "all"
		}
		name := t.Name
		switch t.Kind {
		case "login":
			name += " (docker login)"
		case "session":
			name += " (browser)"
		}
		return []string{t.ID, name, t.Level, repositories, console.Time(&t.Issued), console.Time(t.LastUsed), ends(t)}
	})
}

// ends says when a token expires, or why it is refused already.
func ends(t apitypes.Token) string {
	switch t.Ended {
	case "", "expired":
		return console.Time(t.Expires)
	case "password":
		return "ended: the password was changed"
	case "issuer":
		return "ended with the token that issued it"
	}
	return t.Ended
}

type tokensCreateCmd struct {
	owned
	Name    string        `arg:"" help:"What the token is for, such as ci."`
	Level   string        `help:"What the token allows: ${enum}. write allows pulling and pushing, but no deletion." enum:"read,write,delete,admin" default:"write"`
	Repo    []string      `help:"Repository that the token is valid for; may be repeated. Default: all." placeholder:"NAME"`
	Expires time.Duration `help:"How long the token is valid, such as 720h; default: until it is revoked." placeholder:"DURATION"`
}

// Validate is called by kong.
func (c *tokensCreateCmd) Validate() error {
	if c.Expires < 0 {
		return errors.New("--expires must not be negative")
	}
	return nil
}

func (c *tokensCreateCmd) Run(s *console.Session) error {
	a, where, owner, err := c.tokens(s)
	if err != nil {
		return err
	}
	body := apitypes.TokenRequest{Name: c.Name, Level: c.Level, Repositories: c.Repo}
	if c.Expires > 0 {
		ends := time.Now().Add(c.Expires).UTC().Truncate(time.Second)
		body.Expires = &ends
	}
	return console.Send(a, "POST", where, body, func(t apitypes.IssuedToken) error {
		until := ""
		if t.Issuer != "" {
			until = fmt.Sprintf(" It ends with the token that you are logged in by, %s.", t.Issuer)
		}
		_, err := fmt.Fprintf(s.Out, "Issued token %s to %s (event %d).%s It is shown only once:\n%s\n", t.ID, owner, t.Seq, until, t.Secret)
		return err
	})
}

type tokensRevokeCmd struct {
	owned
	ID string `arg:"" help:"Id of the token, as listed by tokens ls."`
}

func (c *tokensRevokeCmd) Run(s *console.Session) error {
	a, where, _, err := c.tokens(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", where+client.Path(c.ID), nil, "Revoked "+c.ID)
}

package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/origin"
)

// accessTokenPrefix is the prefix of every access token.
const accessTokenPrefix = "hlt_"

type loginCmd struct {
	URL           string `arg:"" optional:"" help:"Hub, such as https://hub.example.com; default: the hub you last logged in to, or http://localhost:5050." env:"HUBLEDGER_SERVER"`
	Username      string `short:"u" help:"Login name, such as alice or acme+ci; asked for when missing." placeholder:"NAME"`
	PasswordStdin bool   `help:"Read the password or access token from standard input, and the code of a second factor from the line after it."`
	CA            string `name:"ca" help:"Certificate of the hub's own authority (the ca.crt of tls init); the login remembers it." type:"existingfile" placeholder:"FILE"`
	PlainHTTP     bool   `name:"plain-http" help:"Allow sending the password over plain HTTP to another machine."`
}

// loggedIn is the JSON output of login and logout.
type loggedIn struct {
	Server string `json:"server"`
	User   string `json:"user"`
	Token  string `json:"tokenId,omitempty"`
	Kept   string `json:"keptTokenId,omitempty"` // of an earlier login, still valid
}

func (c *loginCmd) Run(s *console.Session) error {
	logins, err := client.ReadLogins()
	if err != nil {
		return err
	}
	server, err := c.server(logins)
	if err != nil {
		return err
	}
	before, again := logins.Logins[server]
	login := client.Login{User: c.Username, CA: before.CA}
	if c.CA != "" {
		raw, err := os.ReadFile(c.CA)
		if err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
		login.CA = string(raw)
	}
	if login.User == "" {
		if login.User, err = s.Question("Login name"); err != nil {
			return fmt.Errorf("%w: give the login name with --username", err)
		}
	}
	secret, err := s.Secret("Password or access token", c.PasswordStdin)
	if err != nil {
		return err
	}
	if err := c.logIn(s, &login, server, secret); err != nil {
		return err
	}
	logins.Current, logins.Logins[server] = server, login
	if err := logins.Write(); err != nil {
		logOut(s, &login, server) // the token is not saved, so nobody could use it
		return err
	}
	kept := ""
	if again {
		kept, _ = logOut(s, &before, server) // if this fails, the old token stays valid until its account ends
	}
	if s.JSON {
		return s.Print(loggedIn{server, login.User, login.TokenID, kept})
	}
	_, err = fmt.Fprintf(s.Out, "Logged in to %s as %s.\n%s", server, login.User, keptNote(kept))
	return err
}

// server is the hub to log in to.
func (c *loginCmd) server(logins client.Logins) (string, error) {
	text := c.URL
	if text == "" {
		text = logins.Current
	}
	if text == "" {
		text = "http://localhost:5050"
	}
	server, err := client.ServerURL(text)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	if u.Scheme == "http" && !origin.IsLoopback(u.Hostname()) && !c.PlainHTTP {
		return "", fmt.Errorf("%s is plain HTTP, so anyone on the network path could read the password: use https://, or --plain-http on a network that you trust", server)
	}
	return server, nil
}

// logIn checks the secret and puts a token into l: the secret itself if it is a
// token, else a new token that is named after this machine.
func (c *loginCmd) logIn(s *console.Session, l *client.Login, server, secret string) error {
	code := ""
	hub, err := client.Remote(server, l.CA, func(r *http.Request) {
		r.SetBasicAuth(l.User, secret)
		if code != "" {
			r.Header.Set(apitypes.CodeHeader, code)
		}
	})
	if err != nil {
		return err
	}
	raw, err := hub.Do(s.Context, "GET", "/user", nil, nil)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized {
		refused.Advice = ""
		if refused.CodeNeeded {
			if code, err = s.Secret("Code of the second factor", c.PasswordStdin); err != nil {
				return err
			}
			return issueLogin(s, hub, l) // the code is good for one request
		}
	}
	if err != nil {
		return fmt.Errorf("log in to %s: %w", server, err)
	}
	var who apitypes.Whoami
	if err := json.Unmarshal(raw, &who); err != nil || who.Name == "" {
		return fmt.Errorf("log in to %s: its answer cannot be read; is it a hub?", server)
	}
	l.User = who.Name
	if strings.HasPrefix(secret, accessTokenPrefix) {
		l.Token = secret
		return nil
	}
	return issueLogin(s, hub, l)
}

// issueLogin puts a new token into l that is named after this machine.
func issueLogin(s *console.Session, hub *client.Client, l *client.Login) error {
	raw, err := hub.Do(s.Context, "POST", client.Path("users", l.User, "tokens"), nil, apitypes.TokenRequest{Name: tokenName(), Level: "admin"})
	if err != nil {
		return fmt.Errorf("create an access token for this login: %w", err)
	}
	var made apitypes.IssuedToken
	if err := json.Unmarshal(raw, &made); err != nil || made.Secret == "" {
		return errors.New("create an access token for this login: the hub's answer cannot be read")
	}
	l.Token, l.TokenID = made.Secret, made.ID
	return nil
}

// tokenName names a token after the machine on which the login was made.
func tokenName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "unknown machine"
	}
	return "hubledger login on " + host
}

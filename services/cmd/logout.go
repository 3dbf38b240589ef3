package cmd

import (
	"errors"
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
)

type logoutCmd struct {
	URL string `arg:"" optional:"" help:"Hub to log out of; default: the one you last logged in to." env:"HUBLEDGER_SERVER"`
}

func (c *logoutCmd) Run(s *console.Session) error {
	logins, err := client.ReadLogins()
	if err != nil {
		return err
	}
	server := logins.Current
	if c.URL != "" {
		if server, err = client.ServerURL(c.URL); err != nil {
			return err
		}
	}
	login, ok := logins.Logins[server]
	if !ok {
		return errors.New("you are not logged in" + inTo(server))
	}
	delete(logins.Logins, server)
	if logins.Current == server {
		logins.Current = ""
	}
	if err := logins.Write(); err != nil {
		return err
	}
	if err := logOut(s, &login, server); err != nil {
		return fmt.Errorf("the login is forgotten on this machine, but its token %s could not be revoked: %w", login.TokenID, err)
	}
	if s.JSON {
		return s.Print(loggedIn{Server: server, User: login.User})
	}
	_, err = fmt.Fprintf(s.Out, "Logged out of %s.\n", server)
	return err
}

func inTo(server string) string {
	if server == "" {
		return ""
	}
	return " to " + server
}

// logOut revokes the token that a login created; a token that was given to the
// login stays valid.
func logOut(s *console.Session, l *client.Login, server string) error {
	if l.TokenID == "" {
		return nil
	}
	c, err := client.Remote(server, l.CA, client.Bearer(l.Token))
	if err != nil {
		return err
	}
	_, err = c.Do(s.Context, "DELETE", client.Path("users", l.User, "tokens", l.TokenID), nil, nil)
	return err
}

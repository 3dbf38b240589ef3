package cmd

import (
	"encoding/json"
	"errors"
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
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
	kept, err := logOut(s, &login, server)
	if err != nil {
		return fmt.Errorf("the login is forgotten on this machine, but its token %s could not be revoked: %w", login.TokenID, err)
	}
	if s.JSON {
		return s.Print(loggedIn{Server: server, User: login.User, Kept: kept})
	}
	_, err = fmt.Fprintf(s.Out, "Logged out of %s.\n%s", server, keptNote(kept))
	return err
}

func inTo(server string) string {
	if server == "" {
		return ""
	}
	return " to " + server
}

// logOut revokes the token that a login created. A token that was given to the
// login stays valid. So does one that has issued others, which would end with it:
// its id is returned.
func logOut(s *console.Session, l *client.Login, server string) (kept string, err error) {
	if l.TokenID == "" {
		return "", nil
	}
	c, err := client.Remote(server, l.CA, client.Bearer(l.Token))
	if err != nil {
		return "", err
	}
	tokens := client.Path("users", l.User, "tokens")
	err = c.Each(s.Context, tokens, nil, func(raw json.RawMessage) error {
		var t apitypes.Token
		if err := json.Unmarshal(raw, &t); err != nil {
			return errors.New("the hub's answer cannot be read")
		}
		if t.ID == l.TokenID && t.IssuedTokens > 0 {
			kept = t.ID
		}
		return nil
	})
	if err != nil || kept != "" {
		return kept, err
	}
	_, err = c.Do(s.Context, "DELETE", tokens+client.Path(l.TokenID), nil, nil)
	return "", err
}

// keptNote says what logOut has not revoked; "" for nothing.
func keptNote(kept string) string {
	if kept == "" {
		return ""
	}
	return fmt.Sprintf("The login's token is still valid, because the tokens that were created with it end with it. To end them all: hubledger tokens revoke %s\n", kept)
}

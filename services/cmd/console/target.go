package console

import (
	"fmt"

	"hubledger/services/cmd/client"
)

// Target holds the options that say which hub a command talks to, and as whom.
type Target struct {
	Server   string `help:"Hub to talk to, with the login saved for it." env:"HUBLEDGER_SERVER" placeholder:"URL"`
	Operator bool   `help:"Talk to the hub on the data directory as its operator, even if there is a login. --data DIR does the same."`
}

// API chooses the hub: the one that --server names, the one on the data
// directory that was named, the one of the last login, or the one on the default
// data directory.
func (t *Target) API(s *Session) (*API, error) {
	if t.Operator || t.Server == "" && s.Data != DefaultData {
		return &API{s, client.Operator(s.Data)}, nil
	}
	logins, err := client.ReadLogins()
	if err != nil {
		return nil, err
	}
	server := logins.Current
	if t.Server != "" {
		if server, err = client.ServerURL(t.Server); err != nil {
			return nil, fmt.Errorf("--server: %w", err)
		}
	}
	if server == "" {
		return &API{s, client.Operator(s.Data)}, nil
	}
	login, ok := logins.Logins[server]
	if !ok {
		return nil, fmt.Errorf("there is no login for %s: log in with `hubledger login %s`", server, server)
	}
	c, err := client.Remote(server, login.CA, client.Bearer(login.Token))
	if err != nil {
		return nil, err
	}
	c.User = login.User
	return &API{s, c}, nil
}

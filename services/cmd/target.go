package cmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"hubledger/services/cmd/client"
)

// defaultData is the data directory when none is named.
const defaultData = "./hubledger-data"

// An api is the hub that a command talks to.
type api struct {
	s *session
	*client.Client
}

// operator talks to the hub on the data directory, as its operator.
func operator(s *session) *api { return &api{s, client.Operator(s.data)} }

func remote(s *session, server, ca string, authorize func(*http.Request)) (*api, error) {
	c, err := client.Remote(server, ca, authorize)
	return &api{s, c}, err
}

// paged asks for large pages of a list. Lists without pages refuse a limit.
func paged() url.Values { return url.Values{"limit": {"100"}} }

func (a *api) do(method, path string, query url.Values, body any) (json.RawMessage, error) {
	return a.Do(a.s.ctx, method, path, query, body)
}

func (a *api) each(path string, query url.Values, item func(json.RawMessage) error) error {
	return a.Each(a.s.ctx, path, query, item)
}

// target holds the options that say which hub a command talks to, and as whom.
type target struct {
	Server   string `help:"Hub to talk to, with the login saved for it." env:"HUBLEDGER_SERVER" placeholder:"URL"`
	Operator bool   `help:"Talk to the hub on the data directory as its operator, even if there is a login. --data DIR does the same."`
}

// api chooses the hub: the one that --server names, the one on the data
// directory that was named, the one of the last login, or the one on the default
// data directory.
func (t *target) api(s *session) (*api, error) {
	if t.Operator || t.Server == "" && s.data != defaultData {
		return operator(s), nil
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
		return operator(s), nil
	}
	login, ok := logins.Logins[server]
	if !ok {
		return nil, fmt.Errorf("there is no login for %s: log in with `hubledger login %s`", server, server)
	}
	a, err := remote(s, server, login.CA, client.Bearer(login.Token))
	if err != nil {
		return nil, err
	}
	a.User = login.User
	return a, nil
}

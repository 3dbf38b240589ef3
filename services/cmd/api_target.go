package cmd

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// defaultData is the data directory that nobody has named.
const defaultData = "./hubledger-data"

// A target is which hub a command asks, and as whom.
type target struct {
	Server   string `help:"Hub to ask, with the login that is saved for it." env:"HUBLEDGER_SERVER" placeholder:"URL"`
	Operator bool   `help:"Ask the hub that runs on the data directory as its operator, though there is a login. So does --data DIR."`
}

// api finds the way: to the server that was named, to the data directory that
// was named, by the login that was saved last, or to the data directory.
func (t *target) api(s *session) (*api, error) {
	if t.Operator || t.Server == "" && s.data != defaultData {
		return socketAPI(s), nil
	}
	logins, err := readLogins()
	if err != nil {
		return nil, err
	}
	server := logins.Current
	if t.Server != "" {
		if server, err = serverURL(t.Server); err != nil {
			return nil, fmt.Errorf("--server: %w", err)
		}
	}
	if server == "" {
		return socketAPI(s), nil
	}
	login, ok := logins.Logins[server]
	if !ok {
		return nil, fmt.Errorf("there is no login for %s: `hubledger login %s`", server, server)
	}
	a, err := remoteAPI(s, server, login.CA, bearer(login.Token))
	if err != nil {
		return nil, err
	}
	a.user = login.User
	return a, nil
}

// serverURL reads the URL of a hub as people write it. Without a scheme it is
// https, but for this machine.
func serverURL(text string) (string, error) {
	if !strings.Contains(text, "://") {
		scheme := "https://"
		if u, err := url.Parse("//" + text); err == nil && isLoopback(u.Hostname()) {
			scheme = "http://"
		}
		text = scheme + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.New("this is not a URL such as https://hub.example.com")
	case u.User != nil:
		return "", errors.New("a URL with a user or password in it is not taken: they are asked for")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return "", fmt.Errorf("%q is not a URL such as https://hub.example.com", text)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%q: a hub is at the root of its host", text)
	}
	host := strings.ToLower(u.Host)
	if name, port, err := net.SplitHostPort(host); err == nil && (port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http") {
		host = name
		if strings.Contains(name, ":") {
			host = "[" + name + "]"
		}
	}
	return u.Scheme + "://" + host, nil
}

package client

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"hubledger/services/internal/origin"
)

// ServerURL normalizes the URL of a hub as people type it. The default scheme
// is https, or http for this machine.
func ServerURL(text string) (string, error) {
	if !strings.Contains(text, "://") {
		scheme := "https://"
		if u, err := url.Parse("//" + text); err == nil && origin.IsLoopback(u.Hostname()) {
			scheme = "http://"
		}
		text = scheme + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", errors.New("this is not a URL such as https://hub.example.com")
	case u.User != nil:
		return "", errors.New("the URL must have no user or password in it: login asks for them")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return "", fmt.Errorf("%q is not a URL such as https://hub.example.com", text)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%q has a path, query or fragment: a hub is always at the root of its host", text)
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

package client

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"hubledger/services/internal/origin"
)

// ServerURL reads the URL of a hub as people write it. Without a scheme it is
// https, but for this machine.
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

package origin

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// ParseTrusted reads --trusted-proxies: addresses, networks such as
// 10.1.0.0/16, and the words "loopback" and "private", separated by commas.
// The empty string gives no addresses.
func ParseTrusted(s string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, item := range strings.Split(s, ",") {
		item = strings.TrimSpace(item)
		networks := []string{item}
		switch item {
		case "":
			continue
		case "loopback":
			networks = []string{"127.0.0.0/8", "::1"}
		case "private": // RFC 1918 and RFC 4193
			networks = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}
		}
		for _, n := range networks {
			p, err := parsePrefix(n)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an address, a network such as 10.1.0.0/16, nor one of loopback and private", item)
			}
			list = append(list, p)
		}
	}
	return list, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		a = plain(a)
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, err
	}
	// IPv4 addresses written as IPv6 are compared as IPv4, so networks are, too.
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// ParsePublicURL reads --public-url: http or https, a host, a port if it is
// not the scheme's own, and nothing else. The empty string gives nil.
func ParsePublicURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		// url.Error would repeat the whole text, with a password in it perhaps.
		return nil, errors.New("the public URL is not a URL; it has to look like https://hub.example.com")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the public URL must begin with https:// or http://, such as https://hub.example.com")
	case u.User != nil:
		return nil, errors.New("the public URL must not have a user or password in it")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("the public URL must end with its host and port: registry clients expect the hub at the root of its host")
	case !validHost(u.Host):
		return nil, fmt.Errorf("%q in the public URL is not a host", u.Host)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// Package gitremote asks git hosts what refs a repository has, without a git
// program and without a clone.
package gitremote

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// ErrURL: a text is no URL of a git repository that can be asked.
var ErrURL = errors.New("invalid git URL")

const maxURL = 1000 // bytes

// A URL names a git repository: https://, http:// or ssh://. It holds no secret.
type URL struct {
	Scheme string // https, http or ssh
	User   string // of ssh; "git" when the text has none
	Host   string // with a port, if one is given
	Path   string // begins with "/", but for an SSH path that is relative to the home directory
}

// scp is what git takes for ssh: [user@]host:path, where no slash stands before
// the colon.
var scp = regexp.MustCompile(`^(?:([^@/:]+)@)?([^@/:\[\]]+|\[[^\]/@]+\]):([^/].*|/.*)$`)

// ParseURL reads the URL that git would be given. ErrURL, with what to write instead.
func ParseURL(text string) (u URL, err error) {
	switch {
	case text == "" || len(text) > maxURL:
		return u, fmt.Errorf("%w: it has 1 to %d characters", ErrURL, maxURL)
	case strings.ContainsFunc(text, unwritten):
		return u, fmt.Errorf("%w: it has spaces or characters that cannot be seen", ErrURL)
	}
	if !strings.Contains(text, "://") {
		m := scp.FindStringSubmatch(text)
		if m == nil {
			return u, fmt.Errorf("%w: write https://host/path, ssh://host/path, or git@host:path", ErrURL)
		}
		return checked(URL{Scheme: "ssh", User: m[1], Host: strings.ToLower(m[2]), Path: m[3]})
	}
	p, err := url.Parse(text)
	if err != nil {
		return u, fmt.Errorf("%w: %w", ErrURL, errors.Unwrap(err))
	}
	if _, secret := p.User.Password(); secret || p.User != nil && p.Scheme != "ssh" {
		return u, fmt.Errorf("%w: leave out the user and the password before the @, and give them as credentials", ErrURL)
	}
	if p.RawQuery != "" || p.ForceQuery || p.Fragment != "" {
		return u, fmt.Errorf("%w: it has no query and no fragment", ErrURL)
	}
	return checked(URL{Scheme: strings.ToLower(p.Scheme), User: p.User.Username(), Host: strings.ToLower(p.Host), Path: p.Path})
}

func unwritten(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
}

// hostName is a name, an IPv4 address or, in brackets, an IPv6 address, and a port.
var hostName = regexp.MustCompile(`^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$`)

func checked(u URL) (URL, error) {
	switch u.Scheme {
	case "https", "http":
	case "ssh":
		if u.User == "" {
			u.User = "git"
		}
	default:
		return URL{}, fmt.Errorf("%w: %q is not supported: use https or ssh", ErrURL, u.Scheme)
	}
	switch {
	case !hostName.MatchString(u.Host):
		return URL{}, fmt.Errorf("%w: it names no host", ErrURL)
	case strings.Trim(u.Path, "/") == "":
		return URL{}, fmt.Errorf("%w: it names no repository", ErrURL)
	case strings.ContainsFunc(u.Path+u.User, unwritten):
		return URL{}, fmt.Errorf("%w: it has spaces or characters that cannot be seen", ErrURL)
	}
	// A git program would take these for options.
	for _, part := range []string{u.Host, u.User, strings.TrimPrefix(u.Path, "/")} {
		if strings.HasPrefix(part, "-") {
			return URL{}, fmt.Errorf("%w: %q begins with a dash", ErrURL, part)
		}
	}
	for _, segment := range strings.Split(u.Path, "/") {
		if segment == ".." {
			return URL{}, fmt.Errorf("%w: its path has a component ..", ErrURL)
		}
	}
	return u, nil
}

// String is the URL as git takes it.
func (u URL) String() string {
	s := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.Scheme == "ssh" {
		s.User = url.User(u.User)
		if !strings.HasPrefix(u.Path, "/") {
			return u.User + "@" + u.Host + ":" + u.Path
		}
	}
	return s.String()
}

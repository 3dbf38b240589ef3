package hoststatus

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/gitremote"
)

// ErrAddress: the address of the API cannot be told from the URL of the git repository;
// the error's text says why.
var ErrAddress = errors.New("the address of the git host's API is unknown")

// commitID is SHA-1 or SHA-256 in hex.
var commitID = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// Address is where the status of a commit of a git repository is posted. The API is reached
// by HTTPS: at the host and port of an https URL, and at the host's usual port where the
// repository is cloned by SSH. ErrAddress.
func Address(kind string, of gitremote.URL, commit string) (string, error) {
	if of.Scheme == "http" {
		return "", fmt.Errorf("%w: a token is sent by https only, and %s is an http URL", ErrAddress, of)
	}
	if !commitID.MatchString(commit) {
		return "", fmt.Errorf("%w: %.80q is no id of a commit", ErrAddress, commit)
	}
	host := of.Host
	if of.Scheme == "ssh" {
		host = (&url.URL{Host: host}).Hostname()
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
	}
	path := strings.Split(strings.TrimSuffix(strings.Trim(of.Path, "/"), ".git"), "/")
	for k := range path {
		path[k] = url.PathEscape(path[k])
	}
	n := len(path)
	wrong := func(form string) error {
		return fmt.Errorf("%w: the path of %s is not %s", ErrAddress, of, form)
	}
	switch kind {
	case events.HostGitHub:
		if n != 2 {
			return "", wrong("OWNER/REPOSITORY")
		}
		return "https://" + gitHub(host) + "/repos/" + path[0] + "/" + path[1] + "/statuses/" + commit, nil
	case events.HostGitLab:
		if n < 2 {
			return "", wrong("GROUP/PROJECT")
		}
		if host == "altssh.gitlab.com" {
			host = "gitlab.com"
		}
		return "https://" + host + "/api/v4/projects/" + strings.Join(path, "%2F") + "/statuses/" + commit, nil
	case events.HostGitea: // what is before owner and repository is the path at which it is served
		if n < 2 {
			return "", wrong("OWNER/REPOSITORY")
		}
		return "https://" + strings.Join(append([]string{host}, path[:n-2]...), "/") + "/api/v1/repos/" + path[n-2] + "/" + path[n-1] + "/statuses/" + commit, nil
	case events.HostBitbucket:
		if n != 2 {
			return "", wrong("WORKSPACE/REPOSITORY")
		}
		if host != "bitbucket.org" && host != "altssh.bitbucket.org" {
			return "", fmt.Errorf("%w: Bitbucket Cloud is at bitbucket.org, and this is %s; is it bitbucket-server?", ErrAddress, host)
		}
		return "https://api.bitbucket.org/2.0/repositories/" + path[0] + "/" + path[1] + "/commit/" + commit + "/statuses/build", nil
	case events.HostBitbucketServer: // https URLs have scm before project and repository
		base := "https://" + host
		if of.Scheme == "https" {
			if n < 3 || path[n-3] != "scm" {
				return "", wrong("scm/PROJECT/REPOSITORY")
			}
			base = "https://" + strings.Join(append([]string{host}, path[:n-3]...), "/")
		}
		return base + "/rest/build-status/1.0/commits/" + commit, nil
	}
	return "", fmt.Errorf("%w: a host of the kind %s takes no statuses, those of %s do", ErrAddress, kind, strings.Join(Hosts, ", "))
}

// gitHub is the host of the API and its path: api.github.com, the same for a subdomain of
// ghe.com, and /api/v3 of a GitHub Enterprise Server.
func gitHub(host string) string {
	switch {
	case host == "github.com", host == "www.github.com", host == "ssh.github.com":
		return "api.github.com"
	case strings.HasSuffix(host, ".ghe.com"):
		return "api." + host
	}
	return host + "/api/v3"
}

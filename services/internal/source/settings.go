package source

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"hubledger/events"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/plaintext"
)

// Hosts are the kinds of git hosts.
var Hosts = []string{events.HostGitHub, events.HostGitLab, events.HostBitbucket, events.HostBitbucketServer, events.HostGitea, events.HostGit}

// hosted are the kinds of the public hosts.
var hosted = map[string]string{"github.com": events.HostGitHub, "gitlab.com": events.HostGitLab, "bitbucket.org": events.HostBitbucket,
	"codeberg.org": events.HostGitea, "gitea.com": events.HostGitea}

// HostOf guesses the kind of a URL's host: that of a public host, else plain git.
func HostOf(u gitremote.URL) string {
	name, _, _ := strings.Cut(u.Host, ":")
	if kind, ok := hosted[strings.TrimPrefix(name, "www.")]; ok {
		return kind
	}
	return events.HostGit
}

// tokenUsers are the user names that hosts want beside a token; others take any.
var tokenUsers = map[string]string{events.HostGitHub: "x-access-token", events.HostGitLab: "oauth2", events.HostBitbucket: "x-token-auth", events.HostBitbucketServer: "x-token-auth"}

// TokenUser is the user name that goes with a token when none is given.
func TokenUser(host string) string {
	if user, ok := tokenUsers[host]; ok {
		return user
	}
	return "git"
}

const maxUser = 200 // bytes

// Check says whether a source can have these settings. ErrSettings.
func Check(s events.SourceSettings) error {
	u, err := gitremote.ParseURL(s.URL)
	switch {
	case err != nil:
		return invalid("%v", err)
	case u.String() != s.URL:
		return invalid("the URL is written %s", u)
	case !slices.Contains(Hosts, s.Host):
		return invalid("the kind of git host %q is none of %s", s.Host, strings.Join(Hosts, ", "))
	}
	switch s.Credentials {
	case "":
	case events.CredentialsToken:
		if u.Scheme != "https" {
			return invalid("a token is sent by https only, and this is an %s URL", u.Scheme)
		}
	case events.CredentialsDeployKey:
		if u.Scheme != "ssh" {
			return invalid("a deploy key is for ssh, and this is an %s URL: write git@%s:%s", u.Scheme, u.Host, strings.TrimPrefix(u.Path, "/"))
		}
	default:
		return invalid("credentials are %s or %s", events.CredentialsToken, events.CredentialsDeployKey)
	}
	if u.Scheme == "ssh" && s.Credentials == "" {
		return invalid("an ssh URL needs a deploy key")
	}
	if (s.Credentials == events.CredentialsToken) != (s.User != "") || len(s.User) > maxUser || !plaintext.IsLine(s.User) || strings.Contains(s.User, ":") {
		return invalid("the user name goes with a token: at most %d bytes without a colon", maxUser)
	}
	if (s.Credentials == "") != (s.Secret == "") || s.HookSecret == "" {
		return invalid("every secret has a record")
	}
	if err := checkStatus(s, u); err != nil {
		return err
	}
	if err := checkKey(s.DeployKey, s.Credentials == events.CredentialsDeployKey); err != nil {
		return err
	}
	if s.HostKey != "" && u.Scheme != "ssh" {
		return invalid("a host key is for ssh URLs")
	}
	return checkKey(s.HostKey, s.HostKey != "")
}

// checkStatus says whether a git host can be told of builds.
func checkStatus(s events.SourceSettings, u gitremote.URL) error {
	switch {
	case !s.Status:
	case s.Host == events.HostGit:
		return invalid("statuses are sent to git hosts of the kinds that have an API for that, not to %s: if the host is of another kind, name it, such as github, gitlab or gitea", s.Host)
	case u.Scheme == "http":
		return invalid("statuses are sent with a token, by https only, and this is an http URL")
	case s.Credentials != events.CredentialsToken && s.StatusSecret == "":
		return invalid("statuses are sent with a token, and the source has none: give one for statuses")
	}
	return nil
}

// checkKey says whether a text is a public key, as in an authorized_keys file.
func checkKey(text string, wanted bool) error {
	if !wanted && text == "" {
		return nil
	}
	if key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(text)); err != nil || len(rest) > 0 || !wanted ||
		strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) != text {
		return invalid("a key is written as type and base64, as in an authorized_keys file")
	}
	return nil
}

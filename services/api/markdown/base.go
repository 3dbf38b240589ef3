package markdown

import (
	"net/url"
	"regexp"
	"strings"
)

// A Base is where relative links of a README lead, and its relative pictures are.
type Base struct{ page, raw *url.URL }

// commit is a commit of git, by SHA-1 or SHA-256.
var commit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// BaseOf is the Base of a git repository by the address of its page, such as
// https://github.com/acme/app, at a commit, or where that is none at its default branch. It is nil
// for hosts of which it is not known how they address files.
func BaseOf(source, revision string) *Base {
	u, err := url.Parse(source)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil
	}
	path := strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	if strings.Count(path, "/") < 1 {
		return nil
	}
	at := revision
	if !commit.MatchString(at) {
		at = "HEAD"
	}
	page, raw := "", ""
	switch host := strings.ToLower(u.Host); {
	case host == "github.com":
		page, raw = "blob/", "raw/"
	case host == "gitlab.com", strings.HasPrefix(host, "gitlab."):
		page, raw = "-/blob/", "-/raw/"
	case host == "bitbucket.org":
		page, raw = "src/", "raw/"
	case at != "HEAD" && (host == "codeberg.org" || strings.HasPrefix(host, "gitea.") || strings.HasPrefix(host, "forgejo.")):
		page, raw = "src/commit/", "raw/commit/"
	default:
		return nil
	}
	of := func(kind string) *url.URL {
		return &url.URL{Scheme: "https", Host: u.Host, Path: "/" + path + "/" + kind + at + "/"}
	}
	return &Base{of(page), of(raw)}
}

// String tells bases apart; "" for nil.
func (b *Base) String() string {
	if b == nil {
		return ""
	}
	return b.page.String()
}

// resolve is where an address that a README has leads, when it is a relative one; else it is
// returned as it is. One that begins with / begins at the root of the repository, as git hosts
// have it, and none leads out of the repository.
func resolve(base *url.URL, address string) string {
	ref, err := url.Parse(address)
	if err != nil || ref.Scheme != "" || ref.Host != "" || ref.Path == "" || strings.HasPrefix(address, "//") {
		return address
	}
	ref.Path, ref.RawPath = strings.TrimLeft(ref.Path, "/"), ""
	to := base.ResolveReference(&url.URL{Path: ref.Path, RawQuery: ref.RawQuery, Fragment: ref.Fragment})
	if !strings.HasPrefix(to.Path, base.Path) {
		return address
	}
	return to.String()
}

var written = regexp.MustCompile(`(?:\]\(\s*<?|\]:\s*<?|(?:href|src)\s*=\s*["']?)([^\s"'<>)]+)`)

// HasRelative says whether a text may have a relative link or picture, so that a Base matters.
func HasRelative(source string) bool {
	for _, m := range written.FindAllStringSubmatch(source, -1) {
		if !strings.HasPrefix(m[1], "#") && !strings.Contains(strings.SplitN(m[1], "/", 2)[0], ":") {
			return true
		}
	}
	return false
}

package buildrule

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"hubledger/events"
	"hubledger/services/internal/plaintext"
)

// Limits of a ref. Longer names are never built; more or longer changed paths pass
// every path filter.
const (
	MaxRefName     = 1024   // bytes; git's own limit is that of its file system
	MaxChanged     = 10_000 // paths
	maxChangedPath = 4096   // bytes, as of Linux
)

// Where a pull request comes from.
const (
	FromOwn  = events.PullOwn
	FromFork = events.PullFork
)

// A Ref is where a branch or tag of a git repository stands, or a pull request.
type Ref struct {
	Kind   string `json:"kind" enum:"branch,tag" doc:"Branch or git tag"`
	Name   string `json:"name" doc:"Without refs/heads/ or refs/tags/; of a pull request the branch that it goes to"`
	Commit string `json:"commit,omitempty" doc:"Where it stands"`
	// Changed counts only when ChangesKnown; otherwise path filters decide later.
	Changed      []string `json:"changed,omitempty" nullable:"false" doc:"Paths of changed files from the root of the repository"`
	ChangesKnown bool     `json:"changesKnown,omitempty" doc:"It is known which files changed; otherwise path filters decide when the commit is fetched"`
	// Every says why every file counts as changed, "" when Changed has those that did. It
	// counts only when ChangesKnown.
	Every string `json:"-"`
	// PullRequest is FromOwn or FromFork, "" for a ref that was pushed.
	PullRequest string `json:"pullRequest,omitempty" enum:"own,fork" doc:"Where the pull request comes from; absent for a push"`
	// Assumed says that Name is the default branch: the git host has not told where the
	// pull request goes to.
	Assumed bool `json:"-"`
}

// PullRef is the Ref of a pull request that stands at a commit. The branch that it goes to
// has no name when it is not known.
func PullRef(p *events.PullRequest, commit string) Ref {
	return Ref{Kind: Branch, Name: strings.TrimPrefix(p.Target, "refs/heads/"), Commit: commit, PullRequest: p.From, Assumed: p.Assumed}
}

// ParseRef is the Ref of a full name, such as refs/heads/main. Whether the name behind
// that is one that git takes is a matter of Evaluate.
func ParseRef(full string) (Ref, error) {
	for kind, prefix := range map[string]string{Branch: "refs/heads/", Tag: "refs/tags/"} {
		if name, ok := strings.CutPrefix(full, prefix); ok {
			return Ref{Kind: kind, Name: name}, nil
		}
	}
	return Ref{}, fmt.Errorf("%s is no full name of a branch or tag: write one such as refs/heads/main or refs/tags/v1.0", quoted(full))
}

// String names the ref for people. It has no characters that act on a terminal.
func (r Ref) String() string {
	name := plaintext.Line(r.Name)
	if len(name) > 200 {
		name = strings.ToValidUTF8(name[:200], "") + "…"
	}
	if r.PullRequest != "" {
		return "pull request to " + name
	}
	return plaintext.Line(r.Kind) + " " + name
}

// refName says why a text is no name of a branch or tag, "" when it is one
// (git-check-ref-format). Names that are not UTF-8 are refused too: git takes them,
// but they cannot be written in JSON.
func refName(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > MaxRefName:
		return fmt.Sprintf("it has more than %d bytes", MaxRefName)
	case !utf8.ValidString(name):
		return "it is not UTF-8"
	case name == "@", strings.HasPrefix(name, "-"):
		return "git takes no such name"
	case strings.Contains(name, ".."), strings.Contains(name, "@{"):
		return "it contains .. or @{"
	case strings.HasSuffix(name, "."):
		return "it ends with a dot"
	}
	for _, r := range name {
		if r < ' ' || r == 0x7f {
			return "it contains a control character"
		}
		if strings.ContainsRune(` ~^:?*[\`, r) {
			return fmt.Sprintf("it contains %q", r)
		}
	}
	for component := range strings.SplitSeq(name, "/") {
		if component == "" || component[0] == '.' || strings.HasSuffix(component, ".lock") {
			return "a component of it is empty, begins with a dot or ends with .lock"
		}
	}
	return ""
}

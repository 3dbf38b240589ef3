package githook

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/plaintext"
)

// A PullRequest is what a webhook says of a pull request.
type PullRequest struct {
	events.HookPullRequest
	// path is that of the git repository that it goes to; project says that it is
	// project and name only, where the URL may have more before it.
	path    string
	project bool
}

// GoesTo says whether the pull request goes to the git repository with that path of its
// URL. Hooks of whole organizations tell of other repositories, too, with numbers of
// their own.
func (p *PullRequest) GoesTo(path string) bool {
	have, want := strings.ToLower(plainPath(path)), strings.ToLower(plainPath(p.path))
	return want != "" && (have == want || p.project && strings.HasSuffix(have, "/"+want))
}

func plainPath(path string) string { return strings.TrimSuffix(strings.Trim(path, "/"), ".git") }

// readPull reads what is said of a pull request. One that cannot be read is none: the
// webhook is a hint all the same.
func readPull(host, event string, text value) *PullRequest {
	d, p := &document{}, &PullRequest{}
	switch {
	case event == "pull_request" && (host == events.HostGitHub || host == events.HostGit || host == events.HostGitea):
		p.readGitHub(d, text)
	case event == "merge_request" && host == events.HostGitLab:
		p.readGitLab(d, text)
	case strings.HasPrefix(event, "pr:") && host == events.HostBitbucketServer:
		p.readBitbucketServer(d, text)
	}
	if d.err != nil || p.Number == 0 || !isID(p.Head) || p.path == "" {
		return nil
	}
	if name, ok := strings.CutPrefix(p.Target, branches); !ok || name == "" || len(p.Target) > maxName || !plaintext.IsLine(name) {
		p.Target = ""
	}
	return p
}

// number is a positive number of at most 31 bits, 0 for none.
func (d *document) number(v value, what string) int {
	if v == nil || d.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(string(v[:min(len(v), 20)]), 10, 32)
	if err != nil || n <= 0 {
		d.fail("%s is no number", what)
	}
	return int(n)
}

// same says whether two ids are there and equal.
func same(a, b value) bool { return a != nil && bytes.Equal(a, b) }

// readGitHub reads pull requests of GitHub, Gitea and Forgejo. Those of Gitea and Forgejo
// which were pushed to refs/for/… have the git repository for their head, whoever
// pushed, and a head that is no branch: that is not own.
func (p *PullRequest) readGitHub(d *document, text value) {
	f := d.fields(text, "the body", "number", "pull_request", "repository")
	p.Number = d.number(f[0], "number")
	p.path = pathOf(d.text(d.at(f[2], "repository", "clone_url"), "repository.clone_url"))
	f = d.fields(f[1], "pull_request", "state", "head", "base")
	p.Closed = d.text(f[0], "pull_request.state") == "closed"
	head, base := d.fields(f[1], "head", "sha", "ref", "label", "repo"), d.fields(f[2], "base", "ref", "repo")
	p.Head, p.Target = d.text(head[0], "head.sha"), branches+d.text(base[0], "base.ref")
	branch, label := d.text(head[1], "head.ref"), d.text(head[2], "head.label")
	p.Own = branch != "" && label != "" && !strings.HasPrefix(branch, "refs/") && same(d.at(head[3], "head.repo", "id"), d.at(base[1], "base.repo", "id"))
}

func (p *PullRequest) readGitLab(d *document, text value) {
	f := d.fields(text, "the body", "object_attributes", "project")
	p.path = pathOf(d.text(d.at(f[1], "project", "git_http_url"), "project.git_http_url"))
	f = d.fields(f[0], "object_attributes", "iid", "state", "target_branch", "source_project_id", "target_project_id", "last_commit")
	p.Number, p.Target = d.number(f[0], "iid"), branches+d.text(f[2], "target_branch")
	state := d.text(f[1], "state")
	p.Closed = state == "closed" || state == "merged"
	p.Own = same(f[3], f[4])
	p.Head = d.text(d.at(f[5], "last_commit", "id"), "last_commit.id")
}

func (p *PullRequest) readBitbucketServer(d *document, text value) {
	f := d.fields(d.at(text, "the body", "pullRequest"), "pullRequest", "id", "state", "fromRef", "toRef")
	p.Number = d.number(f[0], "id")
	state := d.text(f[1], "state")
	p.Closed = state != "" && state != "OPEN"
	from, to := d.fields(f[2], "fromRef", "latestCommit", "repository"), d.fields(f[3], "toRef", "id", "repository")
	p.Head, p.Target = d.text(from[0], "fromRef.latestCommit"), d.text(to[0], "toRef.id")
	repository := d.fields(to[1], "toRef.repository", "id", "slug", "project")
	p.Own = same(d.at(from[1], "fromRef.repository", "id"), repository[0])
	project, slug := d.text(d.at(repository[2], "project", "key"), "project.key"), d.text(repository[1], "slug")
	if project != "" && slug != "" && d.err == nil {
		p.path, p.project = project+"/"+slug, true
	}
}

// pathOf is the path of a URL, "" when it is none.
func pathOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL {
		return ""
	}
	return u.Path
}

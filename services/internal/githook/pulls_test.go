package githook

import (
	"strings"
	"testing"

	"hubledger/events"
)

// What each host sends about a pull request, in the shape that it documents, shortened.
const (
	githubPull = `{"action":"synchronize","number":12,"before":"` + b + `","after":"` + a + `","pull_request":{"id":9007199254740993,"number":12,"state":"open","merged":false,"title":"\"number\":13",
		"head":{"label":"al:topic","ref":"topic","sha":"` + a + `","repo":{"id":2,"clone_url":"https://git.example.org/al/app.git","fork":true}},
		"base":{"label":"acme:main","ref":"main","sha":"` + b + `","repo":{"id":1}}},"repository":{"id":1,"full_name":"acme/app","clone_url":"` + url1 + `"},"sender":{"id":7}}`
	gitlabPull = `{"object_kind":"merge_request","event_type":"merge_request","user":{"id":1},"project":{"id":15,"path_with_namespace":"acme/app","git_http_url":"` + url1 + `"},
		"object_attributes":{"id":99,"iid":12,"target_branch":"main","source_branch":"topic","source_project_id":14,"target_project_id":15,"state":"opened","action":"update","oldrev":"` + b + `",
		"last_commit":{"id":"` + a + `","message":"x"},"source":{"git_http_url":"https://git.example.org/al/app.git"}},"changes":{}}`
	serverPull = `{"eventKey":"pr:from_ref_updated","date":"2026-11-01T00:00:00+0000","actor":{"name":"al"},"previousFromHash":"` + b + `","pullRequest":{"id":12,"version":1,"title":"x","state":"OPEN","open":true,"closed":false,
		"fromRef":{"id":"refs/heads/topic","displayId":"topic","latestCommit":"` + a + `","repository":{"slug":"app","id":2,"project":{"key":"~AL"}}},
		"toRef":{"id":"refs/heads/main","displayId":"main","latestCommit":"` + b + `","repository":{"slug":"app","id":1,"project":{"key":"ACME"}}}}}`
	bitbucketPull = `{"pullrequest":{"id":12,"state":"OPEN","source":{"commit":{"hash":"` + a + `"}}},"repository":{"links":{"html":{"href":"https://git.example.org/acme/app"}}}}`
)

func TestParsePullRequests(t *testing.T) {
	with := func(body string, pairs ...string) string {
		t.Helper()
		for k := 0; k < len(pairs); k += 2 {
			if !strings.Contains(body, pairs[k]) {
				t.Fatalf("%s is not in %s", pairs[k], body)
			}
		}
		return strings.NewReplacer(pairs...).Replace(body)
	}
	fork := events.HookPullRequest{Number: 12, Head: a, Target: "refs/heads/main"}
	own, closed, lost := fork, fork, fork
	own.Own, closed.Closed, lost.Target = true, true, ""
	const serverOwn = `"id":1,"project":{"key":"ACME"}`
	for name, c := range map[string]struct {
		host, event, body string
		want              *events.HookPullRequest
	}{
		"github, fork":              {events.HostGitHub, "pull_request", githubPull, &fork},
		"github, own":               {events.HostGitHub, "pull_request", with(githubPull, `"repo":{"id":2`, `"repo":{"id":1`), &own},
		"github, own, large ids":    {events.HostGitHub, "pull_request", with(githubPull, `"repo":{"id":2`, `"repo":{"id":9007199254740993`, `"repo":{"id":1}`, `"repo":{"id":9007199254740992}`), &fork},
		"github, fork deleted":      {events.HostGitHub, "pull_request", with(githubPull, `"repo":{"id":2,"clone_url":"https://git.example.org/al/app.git","fork":true}`, `"repo":null`), &fork},
		"github, no ids":            {events.HostGitHub, "pull_request", with(githubPull, `"repo":{"id":2`, `"repo":{"x":1`, `"repo":{"id":1}`, `"repo":{}`), &fork},
		"github, closed":            {events.HostGitHub, "pull_request", with(githubPull, `"state":"open"`, `"state":"closed"`), &closed},
		"github, of another event":  {events.HostGitHub, "pull_request_review", githubPull, nil},
		"github, no repository":     {events.HostGitHub, "pull_request", with(githubPull, url1, ""), nil},
		"github, no number":         {events.HostGitHub, "pull_request", with(githubPull, `"number":12,"before"`, `"number":"12","before"`), nil},
		"github, huge number":       {events.HostGitHub, "pull_request", with(githubPull, `"number":12,"before"`, `"number":1e99,"before"`), nil},
		"github, negative number":   {events.HostGitHub, "pull_request", with(githubPull, `"number":12,"before"`, `"number":-12,"before"`), nil},
		"github, number twice":      {events.HostGitHub, "pull_request", with(githubPull, `"number":12,"before"`, `"number":12,"number":13,"before"`), nil},
		"github, head no id":        {events.HostGitHub, "pull_request", with(githubPull, `"sha":"`+a, `"sha":"../x`), nil},
		"github, hostile target":    {events.HostGitHub, "pull_request", with(githubPull, `"ref":"main"`, `"ref":"ma\u001b[2Jin"`), &lost},
		"github, long target":       {events.HostGitHub, "pull_request", with(githubPull, `"ref":"main"`, `"ref":"`+strings.Repeat("x", 1024)+`"`), &lost},
		"gitea, fork":               {events.HostGitea, "pull_request", githubPull, &fork},
		"gitea, own":                {events.HostGitea, "pull_request", with(githubPull, `"repo":{"id":2`, `"repo":{"id":1`), &own},
		"gitea, pushed to refs/for": {events.HostGitea, "pull_request", with(githubPull, `"label":"al:topic","ref":"topic"`, `"label":"","ref":"refs/pull/12/head"`, `"repo":{"id":2`, `"repo":{"id":1`), &fork},
		"gitea, of no branch":       {events.HostGitea, "pull_request", with(githubPull, `"ref":"topic"`, `"ref":"refs/pull/12/head"`, `"repo":{"id":2`, `"repo":{"id":1`), &fork},
		"git, as github":            {events.HostGit, "pull_request", githubPull, &fork},
		"gitlab, fork":              {events.HostGitLab, "Merge Request Hook", gitlabPull, &fork},
		"gitlab, own":               {events.HostGitLab, "Merge Request Hook", with(gitlabPull, `"source_project_id":14`, `"source_project_id":15`), &own},
		"gitlab, merged":            {events.HostGitLab, "Merge Request Hook", with(gitlabPull, `"opened"`, `"merged"`), &closed},
		"gitlab, being merged":      {events.HostGitLab, "Merge Request Hook", with(gitlabPull, `"opened"`, `"locked"`), &fork},
		"gitlab, as github":         {events.HostGitLab, "Merge Request Hook", githubPull, nil},
		"data center, fork":         {events.HostBitbucketServer, "pr:from_ref_updated", serverPull, &fork},
		"data center, own":          {events.HostBitbucketServer, "pr:from_ref_updated", with(serverPull, `"id":2,"project":{"key":"~AL"}`, serverOwn), &own},
		"data center, merged":       {events.HostBitbucketServer, "pr:merged", with(serverPull, `"OPEN"`, `"MERGED"`), &closed},
		"data center, to a tag":     {events.HostBitbucketServer, "pr:opened", with(serverPull, `refs/heads/main`, `refs/tags/main`), &lost},
		"bitbucket":                 {events.HostBitbucket, "pullrequest:updated", bitbucketPull, nil},
	} {
		h, err := Parse(c.host, sent(c.host, c.event), []byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		switch {
		case (h.PullRequest == nil) != (c.want == nil):
			t.Errorf("%s: %+v", name, h.PullRequest)
		case c.want != nil && h.PullRequest.HookPullRequest != *c.want:
			t.Errorf("%s: %+v, want %+v", name, h.PullRequest.HookPullRequest, *c.want)
		case len(h.Refs) > 0 || h.Ping:
			t.Errorf("%s: refs %v, ping %t", name, h.Refs, h.Ping)
		}
	}
}

// A webhook about a pull request counts for the git repository that it goes to.
func TestPullRequestGoesTo(t *testing.T) {
	for host, c := range map[string]struct{ event, body, yes, no string }{
		events.HostGitHub:          {"pull_request", githubPull, "/acme/app.git acme/app /acme/app/ /Acme/App", "/acme/app2 /x/acme/app app /other/app /"},
		events.HostGitLab:          {"Merge Request Hook", gitlabPull, "/acme/app.git acme/app.git", "/sub/acme/app /acme/ap"},
		events.HostBitbucketServer: {"pr:opened", serverPull, "/scm/acme/app.git /acme/app.git /context/scm/ACME/app", "/scm/acme/app2 /scm/xacme/app /scm/app /scm/~al/app"},
	} {
		h, err := Parse(host, sent(host, c.event), []byte(c.body))
		if err != nil || h.PullRequest == nil {
			t.Fatal(host, h, err)
		}
		for want, paths := range map[bool]string{true: c.yes, false: c.no} {
			for path := range strings.FieldsSeq(paths) {
				if h.PullRequest.GoesTo(path) != want {
					t.Errorf("%s: it goes to %s: %t", host, path, !want)
				}
			}
		}
	}
}

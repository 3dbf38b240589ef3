package sources_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/internal/repository"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// autotest sets a rule of a repository for the source, with that setting.
func (h *hub) autotest(linked apitypes.ChangedSource, setting string) {
	h.T.Helper()
	of := h.source(linked)
	rule := events.DefaultBuildRule()
	rule.Name, rule.Branch, rule.Tags, rule.Autotest = "edge", "main", []string{"edge"}, setting
	h.Done(buildrule.Save(h.T.Context(), h.Log(), servertest.By, repository.ID{Namespace: of.Namespace, Repository: "0191d1a0-0000-7000-8000-000000000099"}, "admin/app",
		buildrule.Saved{Source: of.Source, Rules: []buildrule.Rule{rule}}, nil))
}

// source is what was linked.
func (h *hub) source(linked apitypes.ChangedSource) events.SourceLinked {
	h.T.Helper()
	e, err := h.Log().Get(h.T.Context(), linked.Seq)
	if err != nil {
		h.T.Fatal(err)
	}
	p, err := events.Decode(e)
	if err != nil {
		h.T.Fatal(err)
	}
	return p.(events.SourceLinked)
}

// pulls are the events about pull requests behind a sequence, one a line.
func (h *hub) pulls(behind uint64, commits map[string]string) string {
	h.T.Helper()
	names := map[string]string{}
	for name, id := range commits {
		names[id] = name
	}
	var lines []string
	for _, e := range h.events(behind, "pull_request") {
		p, err := events.Decode(e)
		if err != nil {
			h.T.Fatal(err)
		}
		switch p := p.(type) {
		case events.PullRequestChanged:
			line := fmt.Sprintf("%d %s<%s %s to %s", p.PullRequest.Number, names[p.New], names[p.Old], p.PullRequest.From, strings.TrimPrefix(p.PullRequest.Target, "refs/heads/"))
			if p.PullRequest.Assumed {
				line += "?"
			}
			if p.Initial {
				line += " initial"
			}
			lines = append(lines, line)
		case events.PullRequestsWatched:
			lines = append(lines, fmt.Sprintf("watched %t", p.On))
		}
	}
	return sorted(strings.Join(lines, "\n"))
}

// awaitPulls waits until events about pull requests are what is wanted.
func (h *hub) awaitPulls(behind uint64, commits map[string]string, want ...string) {
	h.T.Helper()
	all := sorted(strings.Join(want, "\n"))
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		got := h.pulls(behind, commits)
		if got == all {
			return
		}
		if time.Now().After(end) {
			h.T.Fatalf("pull requests:\n%s\nwant:\n%s", got, all)
		}
	}
}

// Pull requests are seen while a rule tests them, and not before: of the repository
// itself and of forks, forced, merged and closed. A first look records without more.
func TestPullRequestsAreSeen(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	host := w.ServeHTTP(true)
	h := newHub(t, server.Config{})
	names := map[string]string{}
	commit := func(name string) {
		w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", name)
		names[name] = w.Git(w.Work, "rev-parse", "HEAD")
	}
	commit("old")
	w.Push("HEAD:refs/pull/1/head")
	linked := h.link(apitypes.LinkSourceRequest{URL: host.URL + "/app.git"})
	h.autotest(linked, "off")
	h.sweep()
	if got := h.pulls(0, names); got != "" {
		t.Errorf("no rule tests, and there is\n%s", got)
	}
	h.autotest(linked, "own")
	h.awaitPulls(0, names, "1 old< fork to main? initial", "watched true")

	since := h.LastSeq()
	w.Git(w.Work, "reset", "-q", "--hard", "main")
	commit("fork")
	w.Push("HEAD:refs/pull/2/head", "HEAD:refs/pull/2/merge")
	commit("own")
	w.Push("HEAD:refs/heads/topic", "HEAD:refs/pull/3/head")
	h.sweep()
	h.awaitPulls(since, names, "2 fork< fork to main?", "3 own< own to main?")
	var list struct{ Items []apitypes.GitRef }
	h.ask("GET", "/sources/admin/app/refs?kind=pull_request", nil, 200, &list)
	if len(list.Items) != 3 || list.Items[2].PullRequest.Number != 1 || list.Items[2].Kind != "pull_request" || list.Items[0].PullRequest.Target != "refs/heads/main" {
		t.Errorf("%+v", list.Items)
	}
	if refs := h.refs(nil); strings.Contains(refs, "pull") {
		t.Errorf("branches and tags are\n%s", refs)
	}

	since = h.LastSeq()
	w.Git(w.Work, "commit", "-q", "--amend", "--allow-empty", "-m", "forced")
	names["forced"] = w.Git(w.Work, "rev-parse", "HEAD")
	w.Push("-f", "HEAD:refs/heads/topic", "HEAD:refs/pull/3/head")
	w.Push(names["fork"] + ":refs/heads/main") // that of the fork is merged
	h.sweep()
	h.awaitPulls(since, names, "3 forced<own own to main?")

	since = h.LastSeq()
	w.Push(":refs/heads/topic", ":refs/pull/3/head")
	h.sweep()
	h.awaitPulls(since, names, "3 <forced own to main?")

	// What changes while no rule tests is not new when one does again.
	since = h.LastSeq()
	h.autotest(linked, "off")
	h.sweep()
	h.awaitPulls(since, names, "watched false")
	commit("meanwhile")
	w.Push("-f", "HEAD:refs/pull/2/head")
	h.sweep()
	h.autotest(linked, "all")
	h.awaitPulls(since, names, "watched false", "watched true", "2 meanwhile<fork fork to main? initial")
}

// A webhook says where a pull request goes to, that it comes from the git repository
// itself, and that it is closed. It is believed for the commit that it names, and only
// when it is about the same git repository.
func TestHooksOfPullRequests(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	host := w.ServeHTTP(true)
	h := newHub(t, server.Config{})
	linked := h.link(apitypes.LinkSourceRequest{URL: host.URL + "/app.git"})
	h.autotest(linked, "own")
	h.awaitPulls(0, nil, "watched true")
	names := map[string]string{}
	n := 0
	// told pushes a commit as the head of pull request 7, unless its name is known, and
	// sends a webhook about it.
	told := func(commit, repository, state, headRepo, said string) {
		t.Helper()
		if names[commit] == "" {
			w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", commit)
			names[commit] = w.Git(w.Work, "rev-parse", "HEAD")
			w.Push("-f", "HEAD:refs/pull/7/head")
		}
		n++
		body := fmt.Sprintf(`{"action":"synchronize","number":7,"pull_request":{"state":%q,"head":{"ref":"topic","label":"acme:topic","sha":%q,"repo":{"id":%s}},"base":{"ref":"stable","repo":{"id":1}}},
			"repository":{"clone_url":"https://elsewhere.example.org%s"}}`, state, names[said], headRepo, repository)
		if got := h.send(webhook{host: events.HostGit, event: "pull_request", delivery: fmt.Sprint("d", n), body: body}, linked); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	since := h.LastSeq()
	for _, step := range []struct {
		commit, repository, state, headRepo, said string
		want                                      string
	}{
		{"a", "/other.git", "open", "1", "a", "7 a< fork to main?"},
		{"b", "/app.git", "open", "2", "b", "7 b<a fork to stable"},
		{"c", "/app.git", "open", "1", "b", "7 c<b fork to stable"},
		{"c", "/app", "open", "1", "c", "7 c<c own to stable"},
		{"c", "/app", "closed", "1", "c", "7 <c own to stable"},
		{"c", "/app", "open", "1", "c", "7 c< own to stable"},
	} {
		told(step.commit, step.repository, step.state, step.headRepo, step.said)
		h.awaitPulls(since, names, step.want)
		since = h.LastSeq()
	}
	var list struct{ Items []apitypes.HookDelivery }
	h.ask("GET", "/sources/admin/app/deliveries", nil, 200, &list)
	if len(list.Items) != n || list.Items[0].PullRequest == nil || *list.Items[0].PullRequest != (apitypes.HookPullRequest{Number: 7, Head: names["c"], Target: "refs/heads/stable", Own: true}) || list.Items[n-1].PullRequest != nil {
		t.Errorf("%+v", list.Items)
	}
}

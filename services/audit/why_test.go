package audit_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/command"
	"hubledger/services/server/servertest"
)

// record appends an event that another one led to, and returns its id.
func (h *hub) record(cause, correlation string, p events.Payload) string {
	h.T.Helper()
	by := servertest.By
	by.Cause, by.Correlation = cause, correlation
	seq, err := command.Append(h.T.Context(), h.Log(), by, p, events.AnySeq)
	h.Done(seq, err)
	e, err := h.Log().Get(h.T.Context(), seq)
	if err != nil {
		h.T.Fatal(err)
	}
	return e.ID()
}

// What led to a tag, an image or a build is told from the first cause down, with all that it
// led to, to each as far as they may read it.
func TestWhy(t *testing.T) {
	h := newHub(t)
	repo, err := h.Accounts().Repository(t.Context(), "acme/private")
	if err != nil {
		t.Fatal(err)
	}
	const build = "0191d1a0-0000-7000-8000-0000000000b1"
	const deployment = "0191d1a0-0000-7000-8000-0000000000c3"
	source := "0191d1a0-0000-7000-8000-0000000000a1"
	index := "sha256:" + strings.Repeat("1", 64)
	moved := h.record("", "", events.RefMoved{Namespace: repo.Namespace, Source: source, Ref: "refs/heads/main", New: strings.Repeat("c", 40)})
	evaluated := h.record(moved, moved, events.PushEvaluated{Namespace: repo.Namespace, Repository: repo.ID, Source: source, Ref: "refs/heads/main", Commit: strings.Repeat("c", 40)})
	queued := h.record(evaluated, moved, events.BuildQueued{Namespace: repo.Namespace, Repository: repo.ID, Build: build, Source: source, Ref: "refs/heads/main", Tags: []string{"9.0"}})
	pushed := h.record(queued, moved, events.BuildPushed{Namespace: repo.Namespace, Repository: repo.ID, Build: build, Epoch: 1, Digest: index})
	tagged := h.record(queued, moved, events.ImageTagged{Namespace: repo.Namespace, Repository: repo.ID, Tag: "9.0", Digest: digest.Digest(index)})
	// A person has promoted, in a log of before such decisions had a cause.
	of := events.DeploymentOf{Namespace: repo.Namespace, Application: "0191d1a0-0000-7000-8000-0000000000c1", Name: "acme/shop", Environment: "0191d1a0-0000-7000-8000-0000000000c2", Called: "production", Deployment: deployment}
	requested := h.record(tagged, moved, events.DeploymentRequested{DeploymentOf: of, Kind: events.DeployForward, Release: 2, Colour: "green"})
	h.record(requested, moved, events.DeploymentAdmitted{DeploymentOf: of})
	h.record("", "", events.DeploymentGateChanged{DeploymentOf: of, Gate: "looks-good", Verdict: "pass", Manual: true, Reason: "I looked"})
	promoted := h.record("", "", events.DeploymentPromoted{DeploymentOf: of, Reason: "now"})
	finished := h.record(promoted, promoted, events.DeploymentFinished{DeploymentOf: of, Outcome: "promoted"})
	other := h.record("", "", events.RefMoved{Namespace: repo.Namespace, Source: source, Ref: "refs/heads/other", New: strings.Repeat("d", 40)})
	h.CatchUp()

	why := func(as, of string, status int) (told string) {
		t.Helper()
		var v apitypes.Why
		if got, body := h.get(as, "/api/v1/why?of="+url.QueryEscape(of), &v); got != status {
			t.Errorf("why %s for %q: %d %s", of, as, got, body)
		}
		for _, s := range v.Steps {
			name := "hidden"
			if s.Event != nil {
				name = strings.TrimSuffix(s.Event.Type, ".v1")
			}
			if s.Asked {
				name = "*" + name
			}
			told += fmt.Sprint(strings.Repeat(" ", s.Depth), name, "\n")
		}
		return told
	}
	const head = "ref.moved\n push.evaluated\n"
	deployed := func(depth int) (chain string) {
		for k, name := range []string{"requested", "admitted", "gate_changed", "promoted", "finished"} {
			chain += strings.Repeat(" ", depth+k) + "deployment." + name + "\n"
		}
		return chain
	}
	for of, want := range map[string]string{
		tagged:                  head + "  build.queued\n   *image.tagged\n" + deployed(4),
		"acme/private:9.0":      head + "  build.queued\n   *image.tagged\n" + deployed(4),
		pushed:                  head + "  build.queued\n   *build.pushed\n",
		index:                   head + "  build.queued\n   *build.pushed\n",
		index[:19]:              head + "  build.queued\n   *build.pushed\n",
		"acme/private@" + index: head + "  build.queued\n   *build.pushed\n",
		build:                   head + "  build.queued\n   *build.pushed\n",
		queued:                  head + "  *build.queued\n   build.pushed\n   image.tagged\n" + deployed(4),
		moved:                   "*ref.moved\n push.evaluated\n  build.queued\n   build.pushed\n   image.tagged\n" + deployed(4),
		deployment:              head + "  build.queued\n   image.tagged\n" + strings.Replace(deployed(4), "dep", "*dep", 1),
		promoted:                head + "  build.queued\n   image.tagged\n" + strings.Replace(deployed(4), "deployment.prom", "*deployment.prom", 1),
		finished:                head + "  build.queued\n   image.tagged\n" + strings.Replace(deployed(4), "deployment.fin", "*deployment.fin", 1),
		other:                   "*ref.moved\n",
		"acme/private:1.1":      "*image.tagged\n",
	} {
		if got := why("admin", of, http.StatusOK); got != want {
			t.Errorf("why %s:\n%swant:\n%s", of, got, want)
		}
	}
	// A reader of the repository sees its tag, and neither builds nor the git source.
	if got, want := why("reader", "acme/private:9.0", http.StatusOK), "hidden\n hidden\n  hidden\n   *image.tagged\n"; got != want {
		t.Errorf("for a reader:\n%swant:\n%s", got, want)
	}
	if got, want := why("writer", moved, http.StatusNotFound), ""; got != want {
		t.Error(got)
	}
	for _, of := range []string{"acme/private:9.0", "acme/none:9.0", "acme/private:none", index, tagged, build, "999999", "sha256:" + strings.Repeat("9", 64), "0191d1a0-0000-7000-8000-0000000000ff", "x", "a b", "::", "@", strings.Repeat("x", 500)} {
		why("stranger", of, http.StatusNotFound)
		why("", of, http.StatusNotFound)
	}
}

package rules_test

import (
	"testing"

	"hubledger/events"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/server"
)

// An annotated tag that is pushed with plain git is evaluated at its commit; what was
// there when the repository was linked is not.
func TestPushedTag(t *testing.T) {
	repo := gitremotetest.New(t, "sha1")
	host := repo.ServeHTTP(true)
	guard, err := egress.NewGuard([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, server.Config{Egress: guard})
	begin := w.LastSeq() + 1
	w.call("owner", "POST", "/namespaces/acme/sources", object{"name": "git", "url": host.URL + "/app.git"}, 201, nil)
	next := after[events.RefsRecorded](w, begin, nil)
	w.ask("owner", "PUT", "", rulesOf("acme/git", object{"name": "release", "tag": "/^v(.*)$/", "tags": []string{`{\1}`, "latest"}}), 200, nil)

	repo.Git(repo.Work, "commit", "-q", "--allow-empty", "-m", "second")
	repo.Git(repo.Work, "tag", "-a", "-m", "the second", "v2.0")
	repo.Push("v2.0")
	w.call("owner", "POST", "/sources/acme/git/sweep", nil, 202, nil)

	var moved events.RefMoved
	next = after(w, next, &moved)
	var push events.PushEvaluated
	after(w, next, &push)
	if commit := repo.Git(repo.Work, "rev-parse", "v2.0^{commit}"); moved.Annotated == "" || push.Ref != "refs/tags/v2.0" || push.Commit != commit ||
		len(push.Verdicts) != 1 || push.Verdicts[0].Outcome != events.OutcomeBuild || len(push.Verdicts[0].Tags) != 2 || push.Verdicts[0].Tags[0] != "2.0" {
		t.Errorf("%+v of the move %+v", push, moved)
	}
}

// after waits for the first event of a type from a sequence on, reads it into p if that is
// not nil, and returns the sequence behind it.
func after[P events.Payload](w *world, seq uint64, p *P) uint64 {
	w.T.Helper()
	for ; ; seq++ {
		got, err := events.Decode(w.await(seq))
		if err != nil {
			w.T.Fatal(err)
		}
		if found, ok := got.(P); ok {
			if p != nil {
				*p = found
			}
			return seq + 1
		}
	}
}

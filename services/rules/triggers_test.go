package rules_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/server"
)

// called calls a build trigger as its URL says, without any login.
func (w *world) called(address, body string, status int) (answer apitypes.CalledTrigger) {
	w.T.Helper()
	u, err := url.Parse(address)
	if err != nil {
		w.T.Fatal(err)
	}
	a := httptest.NewRecorder()
	w.Handler.ServeHTTP(a, httptest.NewRequest("POST", u.Path, strings.NewReader(body)))
	if a.Code != status {
		w.T.Fatalf("%s with %s: %d, want %d: %s", u.Path, body, a.Code, status, a.Body)
	}
	if status == 202 {
		if err := json.Unmarshal(a.Body.Bytes(), &answer); err != nil {
			w.T.Fatal(err)
		}
	}
	return answer
}

// newTrigger makes a build trigger of acme/app.
func (w *world) newTrigger() (made apitypes.CreatedTrigger) {
	w.T.Helper()
	w.call("manager", "POST", "/repositories/acme/app/triggers", object{"name": "nightly"}, 201, &made)
	return made
}

// awaitPush waits for another evaluation of a ref than that of before, and returns it.
func (w *world) awaitPush(ref string, before uint64) apitypes.Push {
	w.T.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var list struct{ Items []apitypes.Push }
		w.call("writer", "GET", "/repositories/acme/app/pushes", nil, 200, &list)
		for _, p := range list.Items {
			if p.Ref == ref && p.Seq > before {
				return p
			}
		}
		if time.Now().After(end) {
			w.T.Fatalf("%s is not evaluated: %+v", ref, list)
		}
	}
}

// A call of a trigger has the rules evaluated again, for the refs that it names, and not
// twice while the build waits.
func TestTriggers(t *testing.T) {
	w := newWorld(t, server.Config{})
	w.ask("owner", "PUT", "", rulesOf("acme/app", edge("edge"), object{"name": "release", "tag": "/^v(.*)$/", "tags": []string{`{\1}`}}), 200, nil)
	w.move("refs/heads/main", "c1")
	w.move("refs/heads/other", "c2")
	w.move("refs/tags/v1", "c3")
	first, tagged := w.awaitPush("refs/heads/main", 0), w.awaitPush("refs/tags/v1", 0)
	w.awaitPush("refs/heads/other", 0)

	for _, c := range []struct {
		body, want string
		before     *apitypes.Push
	}{
		{"", "refs/heads/main", &first},
		{"{}", "refs/heads/main", &first},
		{`{"source_type": "Branch", "source_name": "main"}`, "refs/heads/main", &first},
		{`{"docker_tag": "1"}`, "refs/tags/v1", &tagged},
		{`{"source_type": "Tag", "source_name": "v1"}`, "refs/tags/v1", &tagged},
	} {
		trigger := w.newTrigger()     // one may be called only now and then
		w.awaitBuild(c.before.Commit) // it waits, as no builder is there
		if a := w.called(trigger.URL, c.body, 202); len(a.Requested) != 0 || fmt.Sprint(a.Waiting) != "["+c.want+"]" {
			t.Errorf("%s while a build waits: %+v", c.body, a)
		}
		w.called(trigger.URL, c.body, 429)
		w.cancelBuilds(c.before.Commit)
		trigger = w.newTrigger()
		if a := w.called(trigger.URL, c.body, 202); len(a.Waiting) != 0 || fmt.Sprint(a.Requested) != "["+c.want+"]" {
			t.Fatalf("%s: %+v", c.body, a)
		}
		p := w.awaitPush(c.want, c.before.Seq)
		if p.Commit != c.before.Commit || p.Verdicts[0].Outcome != c.before.Verdicts[0].Outcome {
			t.Errorf("%s: evaluated as %+v", c.body, p)
		}
		*c.before = p
	}
	// What was built last counts, also when the newest commit was skipped.
	w.ask("owner", "PUT", "", rulesOf("acme/app", object{"name": "edge-edge", "branch": "/^main$/", "tags": []string{"edge"}, "autobuild": false}), 200, nil)
	// Its build waits by other rules: these are evaluated all the same.
	if a := w.called(w.newTrigger().URL, "", 202); fmt.Sprint(a.Requested) != "[refs/heads/main]" {
		t.Errorf("by the build before: %+v", a)
	}
	first = w.awaitPush("refs/heads/main", first.Seq)
	// A move is still told from a request.
	w.move("refs/heads/main", "c4")
	if p := w.awaitPush("refs/heads/main", first.Seq); p.Commit != "c4" {
		t.Errorf("evaluated is %+v", p)
	}

	trigger := w.newTrigger()
	for body, status := range map[string]int{`{"docker_tag": "nothing"}`: 422, `{"source_type": "Branch", "source_name": "gone"}`: 422, `{"source_type": "Commit", "source_name": "main"}`: 422,
		"no JSON": 400} {
		w.called(w.newTrigger().URL, body, status)
	}
	w.called(trigger.URL, `{"docker_tag": "nothing"}`, 422)
	w.called(trigger.URL, `{"docker_tag": "nothing"}`, 429) // it was work, too
	for _, address := range []string{trigger.URL[:len(trigger.URL)-len("x/call/")] + "y/call/", strings.Replace(trigger.URL, w.app.Repository, w.app.Namespace, 1)} {
		w.called(address, "", 404)
	}
	w.call("writer", "DELETE", "/repositories/acme/app/triggers/"+trigger.ID, nil, 403, nil)
	w.call("manager", "DELETE", "/repositories/acme/app/triggers/"+trigger.ID, nil, 200, nil)
	w.call("manager", "DELETE", "/repositories/acme/app/triggers/"+trigger.ID, nil, 404, nil)
	w.called(trigger.URL, "", 404)
	var list struct{ Items []apitypes.Trigger }
	w.call("manager", "GET", "/repositories/acme/app/triggers", nil, 200, &list)
	if len(list.Items) != 15 || list.Items[0].Name != "nightly" || list.Items[0].CreatedBy != "manager" {
		t.Errorf("left are %+v", list.Items)
	}
	w.ask("owner", "PUT", "", object{"source": "", "rules": []object{}}, 200, nil)
	w.called(w.newTrigger().URL, "", 409)
}

// builds are those of acme/app.
func (w *world) builds() []apitypes.Build {
	w.T.Helper()
	var list struct{ Items []apitypes.Build }
	w.call("writer", "GET", "/repositories/acme/app/builds?limit=100", nil, 200, &list)
	return list.Items
}

// cancelBuilds ends the builds of a commit.
func (w *world) cancelBuilds(commit string) {
	w.T.Helper()
	for _, b := range w.builds() {
		if b.State != "ended" && b.Commit == commit {
			w.call("writer", "POST", "/repositories/acme/app/builds/"+b.ID+"/cancel", nil, 200, nil)
		}
	}
}

// awaitBuild waits until a build of a commit waits.
func (w *world) awaitBuild(commit string) {
	w.T.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		for _, b := range w.builds() {
			if b.State == "waiting" && b.Commit == commit {
				return
			}
		}
		if time.Now().After(end) {
			w.T.Fatalf("no build of %s waits", commit)
		}
	}
}

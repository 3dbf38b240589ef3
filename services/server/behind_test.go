package server_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// hold keeps a read model of a hub where it is: nothing can be written to its file until
// release is called.
func hold(t *testing.T, data, projection string) (release func()) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "projections", projection+"-*.db"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?_txlock=immediate&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		tx.Rollback()
		db.Close()
	}
}

// What is in the log is there for whoever asks, whichever read model has not come to it
// yet: the answer waits for it. What is not there is 404 all the same.
func TestWhatIsInTheLogIsFound(t *testing.T) {
	data := t.TempDir()
	n := servertest.Start(t, server.Config{Data: data})
	client, admin := n.Client(), n.Account(servertest.Admin)
	client.MustPush(t, "admin/base", "1", registrytest.NewImage("base"))
	n.CatchUp()
	base, err := n.Accounts().Repository(t.Context(), "admin/base")
	if err != nil {
		t.Fatal(err)
	}
	happens := func(p events.Payload) {
		t.Helper()
		if _, err := command.Append(t.Context(), n.Log(), servertest.By, p, events.AnySeq); err != nil {
			t.Fatal(err)
		}
	}
	newID := func() string {
		t.Helper()
		id, err := command.NewID()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	push := func(name string) { client.MustPush(t, name, "1", registrytest.NewImage(name)) }
	source, build := newID(), newID()
	for k, c := range []struct {
		projection         string
		happens            func(name string)
		method, path, body string // NAME in path is the name
	}{
		{"accounts", push, "GET", "/api/v1/repositories/NAME", ""},
		{"accounts", push, "PATCH", "/api/v1/repositories/NAME", `{"description":"so"}`},
		{"catalog", push, "GET", "/api/v1/repositories/NAME", ""},
		{"catalog", push, "GET", "/v2/repositories/NAME/", ""},
		{"catalog", push, "PATCH", "/api/v1/repositories/NAME", `{"description":"so"}`},
		{"images", func(name string) {
			happens(events.ImageTagged{Namespace: admin.ID, Repository: base.ID, Tag: strings.TrimPrefix(name, "admin/"), Digest: registrytest.NewImage("base").Digest()})
		}, "GET", "/v2/NAME-base", ""},
		{"builds", func(string) {
			happens(events.SourceLinked{Namespace: admin.ID, Source: source, Name: "admin/source", Settings: events.SourceSettings{URL: "https://git.example.com/app", Host: events.HostGit, HookSecret: newID()}})
		}, "GET", "/api/v1/sources/admin/source", ""},
		{"builds", func(string) {
			happens(events.BuildQueued{Namespace: admin.ID, Repository: base.ID, Build: build, Source: source, Ref: "refs/heads/main", Kind: "branch", Commit: "c", Rule: events.BuildRule{Name: "edge"}})
		}, "GET", "/api/v1/repositories/admin/base/builds/" + build, ""},
	} {
		name := fmt.Sprint("admin/app", k)
		path := strings.ReplaceAll(strings.ReplaceAll(c.path, "/v2/NAME-base", "/v2/admin/base/manifests/"+strings.TrimPrefix(name, "admin/")), "NAME", name)
		ask := func(path string) *httptest.ResponseRecorder {
			// The operator's word counts without an account, so that nothing but what is asked for is behind.
			r := httptest.NewRequest(c.method, path, strings.NewReader(c.body)).WithContext(access.WithPrincipal(t.Context(), access.Operates))
			r.Header.Set("Content-Type", "application/json")
			if strings.Contains(path, "/manifests/") {
				r.SetBasicAuth(client.User, client.Password)
			}
			w := httptest.NewRecorder()
			n.Handler.ServeHTTP(w, r)
			return w
		}
		if w := ask(path); w.Code != http.StatusNotFound && c.projection != "builds" {
			t.Errorf("%s before it is there: %d %s", path, w.Code, w.Body)
		}
		release := hold(t, data, c.projection)
		c.happens(name)
		time.AfterFunc(50*time.Millisecond, release) // while the request waits
		if w := ask(path); w.Code/100 != 2 {
			t.Errorf("%s while %s is behind: %d %s", path, c.projection, w.Code, w.Body)
		}
		n.CatchUp()
		if w := ask(strings.ReplaceAll(path, name, "admin/none")); strings.Contains(path, name) && w.Code != http.StatusNotFound {
			t.Errorf("what is not there: %d %s", w.Code, w.Body)
		}
	}
}

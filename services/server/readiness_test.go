package server_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// A node without space for a push is not ready and says why, also one that has an
// embedded log and no blobs. It serves pulls, and takes what frees space.
func TestNotReadyWithoutSpace(t *testing.T) {
	t.Parallel()
	for _, services := range [][]string{nil, {"auth"}} {
		c := server.Config{Data: t.TempDir(), SecretsKeyFile: filepath.Join(t.TempDir(), "secrets.key")}
		first := servertest.Start(t, c)
		first.Client().MustPush(t, "admin/app", "v1", registrytest.NewImage("v1"))
		if r := ask(t, "GET", first.URL+"/readyz", nil, nil); r.status != http.StatusOK {
			t.Errorf("with space: %d %s", r.status, r.body)
		}
		if err := first.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		c.Reserve, c.Services = 1<<60, services
		s := servertest.Start(t, c)
		r := ask(t, "GET", s.URL+"/readyz", nil, nil)
		if text := string(r.body); r.status != http.StatusServiceUnavailable || !strings.Contains(text, "no space") || !strings.Contains(text, "gc --now") {
			t.Errorf("%q: %d %s", services, r.status, text)
		}
		far := ask(t, "GET", s.URL+"/readyz", nil, http.Header{"X-Forwarded-For": {"198.51.100.7"}})
		if text := string(far.body); !strings.Contains(text, "no space") || strings.Contains(text, c.Data) {
			t.Errorf("to others: %s", text)
		}
		if metrics := ask(t, "GET", s.URL+"/metrics", nil, nil); !strings.Contains(string(metrics.body), "hubledger_ready 0") {
			t.Error("the metric says that it is ready")
		}
		if _, _, _, err := s.Auth().IssueToken(t.Context(), servertest.By, s.Account(servertest.Admin), events.TokenIssued{Name: "more", Level: events.LevelRead}); err == nil {
			t.Errorf("%q: a token is issued without space", services)
		}
		if services == nil {
			if r := ask(t, "GET", s.URL+"/v2/admin/app/manifests/v1", nil, nil); r.status != http.StatusOK {
				t.Errorf("a pull: %d %s", r.status, r.body)
			}
		}
	}
}

// The status shows what can be found out, and what cannot is a problem of it.
func TestStatusWithoutOperationalStore(t *testing.T) {
	s := servertest.Start(t, server.Config{})
	if st := s.Status(t.Context()); !st.Ready || len(st.Problems) > 0 || len(st.Managers) == 0 {
		t.Errorf("%+v", st)
	}
	if err := s.LoseOperations(); err != nil {
		t.Fatal(err)
	}
	st := s.Status(t.Context())
	if st.Ready || len(st.Problems) != 1 || st.Problems[0].What != "operational store" || st.Events == 0 {
		t.Errorf("%+v", st)
	}
	for _, m := range st.Managers {
		if m.Name == "" || m.LastError == "" {
			t.Errorf("%+v", m)
		}
	}
}

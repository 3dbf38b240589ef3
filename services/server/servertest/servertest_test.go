package servertest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// A program that embeds a node serves it by its Handler, and reads what it wrote.
func TestEmbeddedNode(t *testing.T) {
	s := servertest.Start(t, server.Config{Public: &url.URL{Scheme: "https", Host: "hub.example.org"}})
	image := s.Client().MustPush(t, "admin/app", "1.0", registrytest.NewImage("content"))
	if d, err := s.Client().Pull("admin/app", "1.0"); err != nil || d != image.Digest() {
		t.Errorf("pulled %s, %v", d, err)
	}
	s.CatchUp()
	ask := func(path string, operator bool) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
		if operator {
			r = r.WithContext(access.WithPrincipal(r.Context(), access.Operates))
		}
		s.Handler.ServeHTTP(w, r)
		return w
	}
	if w := ask("/api/v1/repositories/admin/app/tags/1.0", true); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), image.Digest().String()) {
		t.Errorf("the operator is answered %d %s", w.Code, w.Body)
	}
	if w := ask("/api/v1/repositories/admin/app/tags/1.0", false); w.Code != http.StatusNotFound {
		t.Errorf("a request without credentials is answered %d %s", w.Code, w.Body)
	}
	if got := ask("/v2/", false).Header().Get("WWW-Authenticate"); !strings.Contains(got, "https://hub.example.org/token") {
		t.Errorf("the challenge %q does not name the public URL", got)
	}
}

// A node does not have the services that it does not run.
func TestEmbeddedService(t *testing.T) {
	s := servertest.Start(t, server.Config{Services: []string{"auth"}})
	if got, ok := s.Service("auth"); !ok || len(got.Routes) == 0 {
		t.Errorf("auth: %t, %d routes", ok, len(got.Routes))
	}
	if _, ok := s.Service("api"); ok {
		t.Error("the node runs its API, too")
	}
	if s.Account(servertest.Admin).Name != servertest.Admin {
		t.Error("there is no administrator")
	}
}

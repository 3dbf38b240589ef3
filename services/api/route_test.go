package api

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hubledger/services/internal/access"
)

func bare(p access.Principal) *API {
	return &API{Config: Config{Auth: As(p), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}, mux: http.NewServeMux()}
}

func ask(h *API, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	return w
}

// A route that declares no permission is refused even to the operator.
func TestUndeclaredRouteIsRefused(t *testing.T) {
	h := bare(access.Operates)
	h.route(Route{Method: "GET", Path: "/api/v1/forgotten"}, asProblemJSON, func(http.ResponseWriter, *http.Request) { t.Error("it was served") })
	if w := ask(h, "GET", "/api/v1/forgotten", ""); w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	h, got := bare(access.Operates), 0
	h.route(Route{"POST", "/api/v1/x", Anyone}, asProblemJSON, func(w http.ResponseWriter, r *http.Request) {
		data, err := bodyOf(r)
		if err != nil {
			t.Error(err)
		}
		got = len(data)
	})
	if w := ask(h, "POST", "/api/v1/x", strings.Repeat("x", maxBody)); w.Code != 200 || got != maxBody {
		t.Errorf("the largest body: %d, %d bytes", w.Code, got)
	}
	got = 0
	if w := ask(h, "POST", "/api/v1/x", strings.Repeat("x", maxBody+1)); w.Code != 413 || got != 0 {
		t.Errorf("a larger one: %d, %d bytes", w.Code, got)
	}
}

func TestMethodsAndMissingEndpoints(t *testing.T) {
	h := bare(access.Operates)
	for _, method := range []string{"GET", "DELETE"} {
		h.route(Route{method, "/api/v1/x", Anyone}, asProblemJSON, func(http.ResponseWriter, *http.Request) {})
	}
	if w := ask(h, "PUT", "/api/v1/x", ""); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, DELETE" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(h, "GET", "/api/v1/y", ""); w.Code != 404 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(h, "HEAD", "/api/v1/x/", ""); w.Code != 200 {
		t.Errorf("a slash at the end: %d", w.Code)
	}
}

// Folding changes how slashes are written, and nothing else.
func FuzzFolded(f *testing.F) {
	h := bare(access.Operates)
	for _, rest := range []string{"", "/tags", "/tags/{tag}", "/privacy"} {
		h.route(Route{"GET", "/v2/repositories/{namespace}/{name}" + rest, Anyone}, asProblemJSON, func(http.ResponseWriter, *http.Request) {})
	}
	for _, path := range []string{"a/b", "a/b/c/tags", "a/b%2fc/tags/x", "a/tags/tags/tags", "a//b", "a/%2e%2e/b", "a/b/", "a/%zz"} {
		f.Add(path)
	}
	plain := func(r *http.Request) string { return strings.TrimRight(r.URL.Path, "/") }
	f.Fuzz(func(t *testing.T, rest string) {
		r, err := http.NewRequest("GET", "http://hub/v2/repositories/"+rest, nil)
		if err != nil {
			t.Skip()
		}
		once := h.folded(r)
		if plain(once) != plain(r) {
			t.Fatalf("%q became %q", r.URL.Path, once.URL.Path)
		}
		if twice := h.folded(once); twice.URL.EscapedPath() != once.URL.EscapedPath() {
			t.Fatalf("%q, then %q", once.URL.EscapedPath(), twice.URL.EscapedPath())
		}
	})
}

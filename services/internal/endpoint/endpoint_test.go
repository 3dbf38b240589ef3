package endpoint

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/service"
)

// always lets every request in as one principal.
type always struct{ p access.Principal }

func (a always) Authenticate(*http.Request) (access.Principal, error) { return a.p, nil }

// bare is a set that knows the operator only.
func bare() *Set {
	return New(Config{Auth: always{access.Operates}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

func ask(t *testing.T, s *Set, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	router, err := service.NewRouter([]service.Service{{Name: "api", Routes: s.Routes(), NotServed: NotServed}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	router.ServeHTTP(w, r)
	return w
}

// An endpoint that declares no permission is refused even to the operator.
func TestUndeclaredEndpointIsRefused(t *testing.T) {
	s := bare()
	s.Add(service.Route{Method: "GET", Pattern: "/api/v1/forgotten", Serve: func(http.ResponseWriter, *http.Request) { t.Error("it was served") }}, AsProblem)
	w := httptest.NewRecorder()
	s.Routes()[0].Serve(w, httptest.NewRequest("GET", "/api/v1/forgotten", nil))
	if w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	s, got := bare(), 0
	s.Add(service.Route{Method: "POST", Pattern: "/api/v1/x", Permission: access.Anyone, Cost: budget.Light, Serve: func(w http.ResponseWriter, r *http.Request) {
		data, err := Body(r)
		if err != nil {
			t.Error(err)
		}
		got = len(data)
	}}, AsProblem)
	if w := ask(t, s, "POST", "/api/v1/x", strings.Repeat("x", MaxBody)); w.Code != 200 || got != MaxBody {
		t.Errorf("the largest body: %d, %d bytes", w.Code, got)
	}
	got = 0
	if w := ask(t, s, "POST", "/api/v1/x", strings.Repeat("x", MaxBody+1)); w.Code != 413 || got != 0 {
		t.Errorf("a larger one: %d, %d bytes", w.Code, got)
	}
}

func TestMethodsAndMissingEndpoints(t *testing.T) {
	s := bare()
	for _, method := range []string{"GET", "DELETE"} {
		s.Add(service.Route{Method: method, Pattern: "/api/v1/x", Permission: access.Anyone, Cost: budget.Light, Serve: func(http.ResponseWriter, *http.Request) {}}, AsProblem)
	}
	if w := ask(t, s, "PUT", "/api/v1/x", ""); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, DELETE" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(t, s, "GET", "/api/v1/y", ""); w.Code != 404 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(t, s, "HEAD", "/api/v1/x/", ""); w.Code != 200 {
		t.Errorf("a slash at the end: %d", w.Code)
	}
}

// A refusal repeats only so much of what the client wrote.
func TestRefusalsAreBounded(t *testing.T) {
	long := strings.Repeat("x", 7_000) // an address has at most 8 KiB
	for _, need := range []access.Permission{access.Self, access.SelfOrHubAdmin} {
		s := New(Config{Auth: always{access.Principal{Kind: access.User, ID: "1", Name: "alice"}}})
		s.Add(service.Route{Method: "GET", Pattern: "/api/v1/users/{user}", Permission: need, Cost: budget.Light}, AsProblem)
		if w := ask(t, s, "GET", "/api/v1/users/"+long, ""); w.Code != 403 || w.Body.Len() > 400 {
			t.Errorf("%v: %d, %d bytes", need, w.Code, w.Body.Len())
		}
		if w := ask(t, s, strings.ToUpper(long), "/api/v1/users/alice", ""); w.Code != 405 || w.Body.Len() > 400 {
			t.Errorf("a long method: %d, %d bytes", w.Code, w.Body.Len())
		}
	}
}

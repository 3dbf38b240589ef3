package service_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/service"
)

// route makes a route that writes its pattern and the values of the path.
func route(method, pattern string, names ...string) service.Route {
	return service.Route{Method: method, Pattern: pattern, Permission: access.Open, Cost: budget.Light, Serve: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, method, " ", r.Pattern)
		for _, name := range names {
			fmt.Fprintf(w, " %s=%s", name, r.PathValue(name))
		}
	}}
}

// refused writes who refuses the request, and the allowed methods.
func refused(who string) service.NotServed {
	return func(w http.ResponseWriter, r *http.Request, status int, message string) {
		w.WriteHeader(status)
		fmt.Fprint(w, who, " ", status, " ", w.Header().Get("Allow"), message)
	}
}

func router(t testing.TB) *service.Router {
	t.Helper()
	router, err := service.NewRouter([]service.Service{
		{Name: "pages", Routes: []service.Route{route("GET", "/"), route("GET", "/healthz")}},
		{Name: "registry", NotServed: refused("registry"), Routes: []service.Route{
			route("GET", "/v2/"), route("GET", "/v2/_catalog"),
			route("GET", "/v2/{name...}/tags/list", "name"),
			route("GET", "/v2/{name...}/manifests/{reference}", "name", "reference"),
			route("PUT", "/v2/{name...}/manifests/{reference}", "name", "reference"),
			route("GET", "/v2/{name...}/blobs/{digest}", "name", "digest"),
			route("POST", "/v2/{name...}/blobs/uploads/", "name"),
			route("GET", "/v2/{name...}/blobs/uploads/{id}", "name", "id"),
		}},
		{Name: "api", NotServed: refused("api"), Routes: []service.Route{
			route("GET", "/v2/repositories/{namespace}/{name...}", "namespace", "name"),
			route("GET", "/v2/repositories/{namespace}/{name...}/tags", "namespace", "name"),
			route("GET", "/v2/repositories/{namespace}/{name...}/tags/{tag}", "namespace", "name", "tag"),
			route("DELETE", "/v2/repositories/{namespace}/{name...}/tags/{tag}", "namespace", "name", "tag"),
			route("POST", "/v2/repositories"),
			route("GET", "/v2/users/{user}", "user"),
			route("GET", "/api/v1/users/{user}", "user"),
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

const noText = "the address is not UTF-8 text without null characters"

func TestRouter(t *testing.T) {
	router := router(t)
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/", "GET /"},
		{"GET", "/healthz", "GET /healthz"},
		{"GET", "/nothing", "404 page not found\n"},
		{"GET", "/v2", "GET /v2/"},
		{"GET", "/v2/", "GET /v2/"},
		{"GET", "/v2/_catalog", "GET /v2/_catalog"},
		{"GET", "/v2/app/tags/list", "GET /v2/{name...}/tags/list name=app"},
		{"GET", "/v2/tags/list", "registry 404 "},
		{"GET", "/v2/acme/team/app/manifests/1.0", "GET /v2/{name...}/manifests/{reference} name=acme/team/app reference=1.0"},
		{"HEAD", "/v2/acme/app/manifests/1.0", "GET /v2/{name...}/manifests/{reference} name=acme/app reference=1.0"},
		// What is empty is for the service to refuse.
		{"GET", "/v2/acme/app/manifests/", "GET /v2/{name...}/manifests/{reference} name=acme/app reference="},
		{"GET", "/v2//manifests/1.0", "GET /v2/{name...}/manifests/{reference} name= reference=1.0"},
		{"GET", "/v2//app/manifests/1.0", "GET /v2/{name...}/manifests/{reference} name=/app reference=1.0"},
		{"DELETE", "/v2/acme/app/manifests/1.0", "registry 405 GET, HEAD, PUT"},
		// A repository's name may equal a literal of another pattern.
		{"GET", "/v2/acme/manifests/app/manifests/1.0", "GET /v2/{name...}/manifests/{reference} name=acme/manifests/app reference=1.0"},
		{"GET", "/v2/acme/blobs/uploads/manifests/1.0", "GET /v2/{name...}/manifests/{reference} name=acme/blobs/uploads reference=1.0"},
		{"GET", "/v2/repositories/acme/manifests/app", "GET /v2/repositories/{namespace}/{name...} namespace=acme name=manifests/app"},
		{"PUT", "/v2/repositories/acme/manifests/app", "PUT /v2/{name...}/manifests/{reference} name=repositories/acme reference=app"},
		{"GET", "/v2/users/acme/manifests/app", "GET /v2/{name...}/manifests/{reference} name=users/acme reference=app"},
		{"POST", "/v2/acme/app/blobs/uploads/", "POST /v2/{name...}/blobs/uploads/ name=acme/app"},
		{"POST", "/v2/acme/app/blobs/uploads", "POST /v2/{name...}/blobs/uploads/ name=acme/app"},
		{"GET", "/v2/acme/app/blobs/uploads/", "registry 405 POST"},
		{"GET", "/v2/acme/app/blobs/uploads", "registry 405 POST"},
		{"GET", "/v2/acme/app/blobs/uploads/x", "GET /v2/{name...}/blobs/uploads/{id} name=acme/app id=x"},
		{"GET", "/v2/acme/app/blobs/sha256:x", "GET /v2/{name...}/blobs/{digest} name=acme/app digest=sha256:x"},
		// The name is as short as possible, unless its slashes are written %2F.
		{"GET", "/v2/repositories/acme/app", "GET /v2/repositories/{namespace}/{name...} namespace=acme name=app"},
		{"GET", "/v2/repositories/acme/app/tags/tags", "GET /v2/repositories/{namespace}/{name...}/tags/{tag} namespace=acme name=app tag=tags"},
		{"GET", "/v2/repositories/acme/a/b/tags/", "GET /v2/repositories/{namespace}/{name...}/tags namespace=acme name=a/b"},
		{"GET", "/v2/repositories/acme/app%2Ftags/tags", "GET /v2/repositories/{namespace}/{name...}/tags namespace=acme name=app/tags"},
		{"GET", "/v2/repositories/acme/app%2Ftags%2Ftags", "GET /v2/repositories/{namespace}/{name...} namespace=acme name=app/tags/tags"},
		{"GET", "/v2/acme/app%2Ftags/list", "GET /v2/{name...}/tags/list name=acme/app"},
		{"GET", "/v2/acme%2Fapp/tags/list", "GET /v2/{name...}/tags/list name=acme/app"},
		{"DELETE", "/v2/repositories/acme/app/tags", "api 405 GET, HEAD"},
		{"PUT", "/v2/repositories/acme/app/tags/1.0", "api 405 GET, HEAD, DELETE"},
		{"POST", "/v2/repositories", "POST /v2/repositories"},
		{"GET", "/v2/repositories", "api 405 POST"},
		{"GET", "/v2/users/a/b", "api 404 "},
		{"GET", "/api/v1/nothing", "api 404 "},
		{"GET", "/api/v1", "api 404 "},
		{"GET", "/api/v10", "api 404 "}, // refused in the form of those that begin alike
		{"GET", "/v2/users/a//", "GET /v2/users/{user} user=a"},
		// What is no text reaches no service and no database.
		{"GET", "/v2/acme/a%00pp/manifests/1.0", "registry 400 " + noText},
		{"GET", "/v2/acme/app/manifests/%ff", "registry 400 " + noText},
		{"GET", "/v2/users/%c3%28", "api 400 " + noText},
		{"PUT", "/nothing/%00", noText + "\n"},
		{"GET", "/v2/_catalog?last=%00", "registry 400 " + noText},
		{"GET", "/v2/_catalog?x=1&%e2%28%a1=1", "registry 400 " + noText},
		{"GET", "/v2/_catalog?last=\xff", "registry 400 " + noText},
		{"GET", "/v2/_catalog?last=caf%C3%A9&n=%", "GET /v2/_catalog"},
		{"GET", "/v2/users/caf%c3%a9", "GET /v2/users/{user} user=café"},
		{"GET", "/v2/" + strings.Repeat("a", 9000) + "/manifests/1.0", "the address is longer than 8192 bytes\n"},
		{"GET", "//v2/?scope=" + strings.Repeat("a", 9000), "the address is longer than 8192 bytes\n"},
		{"GET", "/v2/users/%2e%2e", "GET /v2/users/{user} user=.."},
	} {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest(c.method, "http://hub"+c.path, nil))
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, got, c.want)
		}
		if allow := w.Header().Get("Allow"); (w.Code == 405) != (allow != "") {
			t.Errorf("%s %s: %d with Allow %q", c.method, c.path, w.Code, allow)
		}
	}
}

func TestRouterRefuses(t *testing.T) {
	undeclared := route("GET", "/x")
	undeclared.Permission = access.Undeclared
	free := route("GET", "/x")
	free.Cost = budget.Undeclared
	for what, routes := range map[string][]service.Route{
		"declares no permission":         {undeclared},
		"declares no cost":               {free},
		"is declared twice":              {route("GET", "/x"), route("GET", "/x")},
		"more than one rest":             {route("GET", "/x/{a...}/y/{b...}")},
		"begin with a literal":           {route("GET", "/{name}/x")},
		"begin with a slash":             {route("GET", "x")},
		`has the invalid component "{y"`: {route("GET", "/x/{y")},
		`has the invalid component "{}"`: {route("GET", "/x/{}")},
	} {
		if _, err := service.NewRouter([]service.Service{{Name: "x", Routes: routes}}, nil); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// For any path, the pattern filled with the path values is the path again.
func FuzzRouter(f *testing.F) {
	router := router(f)
	for _, path := range []string{"a/b/tags/c", "a/b%2fc/tags", "a//b", "a/%2e%2e/b/", "a/%00", "a/b/tags/tags/tags"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		r, err := http.NewRequest("GET", "http://hub/v2/repositories/"+rest, nil)
		if err != nil {
			t.Skip()
		}
		path := strings.TrimRight(r.URL.Path, "/")
		router.ServeHTTP(httptest.NewRecorder(), r)
		if r.Pattern == "" || !strings.HasPrefix(r.Pattern, "/v2/repositories/{namespace}") {
			return
		}
		again := strings.NewReplacer("{namespace}", r.PathValue("namespace"), "{name...}", r.PathValue("name"), "{tag}", r.PathValue("tag")).Replace(r.Pattern)
		if again != path && !strings.Contains(rest, "%2F") && !strings.Contains(rest, "%2f") {
			t.Errorf("%q was read as %q", path, again)
		}
	})
}

func BenchmarkRouter(b *testing.B) {
	router := router(b)
	r := httptest.NewRequest("GET", "http://hub/v2/acme/app/manifests/1.0", nil)
	w := httptest.NewRecorder()
	for b.Loop() {
		w.Body.Reset()
		router.ServeHTTP(w, r)
	}
}

// A router without limits of its own serves parts of requests that have a tab: each
// takes the place that it would take by itself.
func TestPartsOfRequestsTakePlaces(t *testing.T) {
	served := 0
	heavy := service.Route{Method: "GET", Pattern: "/heavy", Permission: access.Open, Cost: budget.Heavy, Serve: func(http.ResponseWriter, *http.Request) {
		served++
	}}
	api, err := service.NewRouter([]service.Service{{Name: "api", Routes: []service.Route{heavy}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	page := service.Route{Method: "GET", Pattern: "/page", Permission: access.Open, Cost: budget.Light, Serve: func(w http.ResponseWriter, r *http.Request) {
		part := r.Clone(r.Context())
		part.URL = &url.URL{Path: "/heavy"}
		api.ServeHTTP(w, part)
	}}
	site, err := service.NewRouter([]service.Service{{Name: "web", Routes: []service.Route{page}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	limits := budget.New(budget.Default)
	site.Limits = limits
	from := origin.With(t.Context(), origin.Origin{Addr: netip.MustParseAddr("192.0.2.1")})
	var held []*budget.Tab // all places that strangers have
	for k := byte(1); ; k++ {
		tab, err := limits.Open(netip.AddrFrom4([4]byte{198, 51, 100, k}), budget.Heavy)
		if err != nil {
			t.Fatal(err)
		}
		now, cancel := context.WithCancel(t.Context())
		cancel()
		if tab.Work(now) != nil {
			tab.Close()
			break
		}
		held = append(held, tab)
	}
	// While others have all places a part waits, here until its client leaves.
	ctx, leave := context.WithCancel(from)
	leave()
	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/page", nil))
	if w.Code == http.StatusOK || served != 0 {
		t.Errorf("a page did heavy work beside another: %d", w.Code)
	}
	for _, tab := range held {
		tab.Close()
	}
	w = httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequestWithContext(from, "GET", "/page", nil))
	if w.Code != http.StatusOK || served != 1 {
		t.Errorf("a page alone: %d", w.Code)
	}
}

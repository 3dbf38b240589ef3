package api

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// A Route is one endpoint, for those who mount the hub and for the test that
// walks them all.
type Route struct {
	Method     string
	Path       string // a pattern of net/http, such as /api/v1/users/{user}
	Permission Permission
}

// Routes lists every endpoint.
func (s *API) Routes() []Route { return s.routes }

// writer of a refusal, in the form that the endpoint's clients know.
type refuser func(w http.ResponseWriter, r *http.Request, p *problem)

func asProblemJSON(w http.ResponseWriter, r *http.Request, p *problem) { p.write(w, r) }

// route mounts an endpoint. What happens to every request is here, in order:
// who is it, may they, have they not asked too often, what do they send, and
// was it answered before.
func (s *API) route(rt Route, refuse refuser, serve http.HandlerFunc) {
	s.routes = append(s.routes, rt)
	s.mux.HandleFunc(rt.Method+" "+rt.Path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		c, err := s.enter(r, rt)
		if err == nil {
			r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
			err = readBody(w, r)
		}
		if err == nil {
			err = s.once(w, r, rt.Permission, serve)
		}
		if err != nil {
			refuse(w, r, s.problem(r.Context(), r.Pattern, err))
		}
	})
}

func (s *API) enter(r *http.Request, rt Route) (*call, error) {
	if rt.Permission == Open {
		return &call{request: r}, nil
	}
	p, err := s.Auth.Authenticate(r)
	if err != nil {
		return nil, err
	}
	c, err := s.authorize(r.Context(), p, rt.Permission, r.PathValue)
	if err != nil {
		return nil, err
	}
	if !reads(r.Method) {
		if err := writes(p); err != nil {
			return nil, err
		}
		if err := s.spend(c, rt, time.Now()); err != nil {
			return nil, err
		}
	}
	c.request = r
	return c, nil
}

// reads says whether a method changes nothing.
func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// Serves says whether a path is the hub's. The rest of /v2/ is the registry's:
// its paths and these never meet, whatever a repository is called.
func (s *API) Serves(path string) bool {
	path = strings.TrimSuffix(path, "/")
	for _, prefix := range []string{"/api/v1", "/v1", "/v2/users", "/v2/auth", "/v2/repositories", "/v2/namespaces"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	organization, ok := strings.CutPrefix(path, "/v2/orgs/")
	return ok && !strings.Contains(organization, "/") || path == "/v2/user" || path == "/v2/search/repositories"
}

// ServeHTTP serves the paths that Serves names.
func (s *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = s.folded(r)
	if _, pattern := s.mux.Handler(r); pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	var allowed []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		if s.has(r, method, r.URL.EscapedPath()) {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		fail(http.StatusNotFound, "there is no such endpoint; /api/v1/openapi.json lists them").write(w, r)
		return
	}
	fail(http.StatusMethodNotAllowed, r.Method+" is not supported here").with("Allow", strings.Join(allowed, ", ")).write(w, r)
}

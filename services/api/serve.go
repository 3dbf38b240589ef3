package api

import (
	"net/http"
	"strings"
)

// Serves says whether a path is the API's. The rest of /v2/ is the registry's:
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

// ServeHTTP serves the API by itself.
func (s *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

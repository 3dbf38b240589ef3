package api

import (
	"net/http"
	"net/url"
	"strings"
)

// maxComponents bounds the components of a path that are looked at: a
// repository name has at most half as many as it has characters.
const maxComponents = 110

// folded makes one component of a repository's name behind its namespace:
// .../repositories/team/group/app/tags is .../repositories/team/group%2Fapp/tags.
// Where that can be read in several ways the shortest name for which there is
// an endpoint counts; who means a longer one writes %2F themselves. A slash at
// the end, as scripts for Docker Hub have it, is dropped.
func (s *API) folded(r *http.Request) *http.Request {
	path := r.URL.EscapedPath()
	trimmed := strings.TrimRight(path, "/")
	if head, tail, ok := cutNames(trimmed); ok {
		for k := 1; k <= len(tail); k++ {
			at := head + "/" + strings.Join(tail[:k], "%2F")
			if k < len(tail) {
				at += "/" + strings.Join(tail[k:], "/")
			}
			if s.has(r, r.Method, at) {
				trimmed = at
				break
			}
		}
	}
	if trimmed == path || trimmed == "" {
		return r
	}
	return withPath(r, r.Method, trimmed)
}

// cutNames parts the path of a repository behind its namespace.
func cutNames(path string) (head string, tail []string, ok bool) {
	parts := strings.Split(path, "/") // the first is empty
	if len(parts) > maxComponents {
		return "", nil, false
	}
	at := 0
	switch {
	case len(parts) > 5 && parts[1] == "api" && parts[2] == "v1" && parts[3] == "repositories":
		at = 5
	case len(parts) > 4 && parts[1] == "v2" && parts[2] == "repositories":
		at = 4
	case len(parts) > 5 && parts[1] == "v2" && parts[2] == "namespaces" && parts[4] == "repositories":
		at = 5
	default:
		return "", nil, false
	}
	return strings.Join(parts[:at], "/"), parts[at:], true
}

// has says whether a method has an endpoint at an escaped path.
func (s *API) has(r *http.Request, method, escaped string) bool {
	_, pattern := s.mux.Handler(withPath(r, method, escaped))
	return pattern != ""
}

func withPath(r *http.Request, method, escaped string) *http.Request {
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return r
	}
	u := *r.URL
	u.Path, u.RawPath = plain, escaped
	other := *r
	other.Method, other.URL = method, &u
	return &other
}

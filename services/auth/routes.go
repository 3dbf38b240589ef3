package auth

import (
	"net/http"
	"net/url"
)

// A Route is what Auth serves, and who may have it.
type Route struct {
	Pattern    string // of http.ServeMux
	Permission string // for people, and for the test that no route goes without
	handle     http.HandlerFunc
}

// Routes lists all that ServeHTTP answers.
func (s *Auth) Routes() []Route {
	return []Route{
		{"GET /token", "everybody: a token says what its credentials may, and nobody's what is public", s.serveTokenGet},
		{"POST /token", "everybody with credentials: the same", s.serveTokenPost},
		{"GET /.well-known/jwks.json", "everybody: public keys", s.serveKeys},
	}
}

func (s *Auth) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range s.Routes() {
		mux.HandleFunc(r.Pattern, r.handle)
	}
	return mux
}

// ServeHTTP serves the token service and its public keys.
func (s *Auth) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// serviceName is what tokens are good for: the host of the public URL.
func serviceName(publicURL string) string {
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		return u.Host
	}
	return "hubledger"
}

// Package session is the cookie of a browser that is signed in.
package session

import (
	"errors"
	"net/http"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/internal/origin"
)

// A SignedIn is what a browser keeps of somebody who signed in.
type SignedIn struct {
	Secret  string // accepted as a Bearer
	Expires time.Time
	// Half says that the secret only proves a password: with the code of a second factor it
	// becomes a session, and by itself it opens nothing.
	Half bool
}

// The cookie's name. Browsers take one with the prefix __Host- only over TLS, for all
// paths, and from the host itself, so that a neighbour below the same domain cannot set it
// (RFC 6265bis, section 4.1.3.2).
const (
	plainName, secureName = "hubledger-session", "__Host-hubledger-session"
	plainHalf, secureHalf = "hubledger-half-session", "__Host-hubledger-half-session"
)

func secure(r *http.Request) bool { return origin.Of(r).Scheme == "https" }

func nameFor(r *http.Request) string {
	if secure(r) {
		return secureName
	}
	return plainName
}

func halfName(r *http.Request) string {
	if secure(r) {
		return secureHalf
	}
	return plainHalf
}

// SetHalf makes the browser keep a SignedIn that is Half, beside any session.
func SetHalf(w http.ResponseWriter, r *http.Request, secret string, expires time.Time) {
	http.SetCookie(w, &http.Cookie{Name: halfName(r), Value: secret, Path: "/", Expires: expires, HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteStrictMode})
}

// ClearHalf makes the browser forget it.
func ClearHalf(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: halfName(r), Path: "/", MaxAge: -1, HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteStrictMode})
}

// HalfOf is the half session that came with a request, "" for none.
func HalfOf(r *http.Request) string {
	c, err := r.Cookie(halfName(r))
	if err != nil {
		return ""
	}
	return c.Value
}

// Set makes the browser keep a secret until it expires, and send it with requests
// that come from the hub's own pages or follow a link to them.
func Set(w http.ResponseWriter, r *http.Request, secret string, expires time.Time) {
	http.SetCookie(w, &http.Cookie{Name: nameFor(r), Value: secret, Path: "/", Expires: expires, HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteLaxMode})
}

// Clear makes the browser forget the secret.
func Clear(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: nameFor(r), Path: "/", MaxAge: -1, HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteLaxMode})
}

// Of is the secret that came with a request, "" for none.
func Of(r *http.Request) string {
	c, err := r.Cookie(nameFor(r))
	if err != nil {
		return ""
	}
	return c.Value
}

// Auth finds out who makes a request by its credentials.
type Auth interface {
	Authenticate(r *http.Request) (access.Principal, error)
}

// For pages: the cookie and nothing else says who asks. A secret that is no longer good
// is none: what everybody may see is shown.
type For struct{ Auth }

// Authenticate is endpoint.Auth.
func (f For) Authenticate(r *http.Request) (access.Principal, error) {
	secret := Of(r)
	r = r.Clone(r.Context())
	r.Header.Del("Authorization")
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	p, err := f.Auth.Authenticate(r)
	var denied *access.Denied
	if errors.As(err, &denied) && denied.Status == http.StatusUnauthorized {
		return access.Nobody, nil
	}
	return p, err
}

// Reading accepts the cookie beside other credentials, for requests that change nothing:
// so pages can link to the API, and follow it.
type Reading struct{ Auth }

// Authenticate is endpoint.Auth.
func (a Reading) Authenticate(r *http.Request) (access.Principal, error) {
	if r.Header.Get("Authorization") == "" && Of(r) != "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return For(a).Authenticate(r)
	}
	return a.Auth.Authenticate(r)
}

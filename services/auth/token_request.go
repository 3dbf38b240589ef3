package auth

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
)

// A tokenRequest is what either form of the protocol asks for.
type tokenRequest struct {
	scopes     []resource
	offline    bool   // wants something to log in with again
	client     string // what the client calls itself
	id         identity
	byPassword bool   // by the password itself: not by what was once given for it
	refresh    string // what to log in with again, when the client has it already
	oauth      bool   // asked by POST
}

// recordCredential notes by what somebody recordCredential: an access token is what they log in with
// again, and a password is not to be stored.
func (t *tokenRequest) recordCredential(secret string) {
	if _, is := secretHash(secret); is {
		t.refresh = secret
	} else {
		t.byPassword = true
	}
}

// maxForm bounds the body of a POST, in bytes.
const maxForm = 64 << 10

// errForm: a request for a token is not one.
var errForm = errors.New("invalid request")

// serveTokenGet is the request of distribution's "Token Authentication
// Specification". A service by another name gets the same answer: the tokens
// are good here only, and there are clients that leave it out.
func (s *Auth) serveTokenGet(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		s.fail(w, r, fmt.Errorf("%w: %w", errForm, err), "invalid_request")
		return
	}
	t := tokenRequest{client: q.Get("client_id"), offline: q.Get("offline_token") == "true"}
	if t.scopes, err = parseScopes(q["scope"]); err != nil {
		s.fail(w, r, err, "invalid_scope")
		return
	}
	if t.id, err = s.identify(r); err == nil && t.id.token != nil {
		err = errToken // a token of this service gives no further one
	}
	if err != nil {
		s.fail(w, r, err, "invalid_grant")
		return
	}
	if _, secret, ok := r.BasicAuth(); ok {
		t.recordCredential(secret)
	}
	s.answerToken(w, r, t)
}

// serveTokenPost is the request of distribution's "OAuth2 Token
// Authentication". It always has credentials.
func (s *Auth) serveTokenPost(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err != nil {
		s.fail(w, r, err, "invalid_request")
		return
	}
	t := tokenRequest{client: form.Get("client_id"), offline: form.Get("access_type") == "offline", oauth: true}
	if t.client == "" {
		s.fail(w, r, fmt.Errorf("%w: there is no client_id", errForm), "invalid_request")
		return
	}
	if t.scopes, err = parseScopes(form["scope"]); err != nil {
		s.fail(w, r, err, "invalid_scope")
		return
	}
	switch form.Get("grant_type") {
	case "password":
		secret := form.Get("password")
		if form.Get("username") == "" {
			err = errCredentials
			break
		}
		t.id, err = s.identifyBy(r, form.Get("username"), secret)
		t.recordCredential(secret)
	case "refresh_token":
		t.refresh = form.Get("refresh_token")
		sum, is := secretHash(t.refresh)
		if !is {
			err = s.refuseSecret(r, sum, "", errToken)
			break
		}
		t.id, err = s.identifyBySecret(r, sum, "")
	default:
		s.fail(w, r, fmt.Errorf("%w: grant_type is password or refresh_token", errForm), "unsupported_grant_type")
		return
	}
	if err != nil {
		s.fail(w, r, err, "invalid_grant")
		return
	}
	s.answerToken(w, r, t)
}

func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("%w: the body is a form, application/x-www-form-urlencoded", errForm)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, fmt.Errorf("%w: %w", errForm, err)
	}
	return r.PostForm, nil
}

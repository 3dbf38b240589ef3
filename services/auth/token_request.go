package auth

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
)

// A tokenRequest is a request for a token in either form of the protocol.
type tokenRequest struct {
	scopes     []resource
	offline    bool   // the client wants a refresh token as well
	client     string // the client's name for itself
	id         identity
	byPassword bool   // the client authenticated with the password, not with a token
	refresh    string // the refresh token that the client has already, "" for none
	oauth      bool   // the request is a POST
}

// recordCredential records what the client has authenticated with: an access
// token also serves as its refresh token; for a password the client gets one.
func (t *tokenRequest) recordCredential(secret string) {
	if _, is := secretHash(secret); is {
		t.refresh = secret
	} else {
		t.byPassword = true
	}
}

// maxForm bounds the body of a POST, in bytes.
const maxForm = 64 << 10

// errForm: a request for a token is malformed.
var errForm = errors.New("invalid request")

// serveTokenGet serves the request of distribution's "Token Authentication
// Specification". The parameter service is not looked at: the tokens are valid
// for this service only, and some clients leave the parameter out.
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
		err = errToken // a registry token cannot be exchanged for another one
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

// serveTokenPost serves the request of distribution's "OAuth2 Token
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

package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hubledger/services/internal/access"
)

// A tokenRequest is what either form of the protocol asks for.
type tokenRequest struct {
	scopes  []resource
	offline bool   // wants something to log in with again
	client  string // what the client calls itself
	id      identity
	proved  bool   // by the password itself: not by what was once given for it
	refresh string // what to log in with again, when the client has it already
	oauth   bool   // asked by POST
}

// came notes by what somebody came: an access token is what they log in with
// again, and a password is not to be stored.
func (t *tokenRequest) came(secret string) {
	if _, is := secretHash(secret); is {
		t.refresh = secret
	} else {
		t.proved = true
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
		t.came(secret)
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
		t.came(secret)
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

// tokenAnswer has the names of both forms of the protocol: clients of either
// look at one of them only.
type tokenAnswer struct {
	Token        string `json:"token"`
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type,omitempty"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	IssuedAt     string `json:"issued_at"`
	Scope        string `json:"scope,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

func (s *Auth) answerToken(w http.ResponseWriter, r *http.Request, t tokenRequest) {
	answer, err := s.grant(r, t)
	if err != nil {
		s.fail(w, r, err, "invalid_grant")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.Logger.Debug("the client went away", "error", err)
	}
}

// grant makes a token of what is asked for and allowed.
func (s *Auth) grant(r *http.Request, t tokenRequest) (*tokenAnswer, error) {
	c := s.newClaims(t.id, s.issuer(r), useRegistry, registryTerm)
	for _, asked := range t.scopes {
		actions, err := s.allowed(r.Context(), t.id.Principal, asked)
		if err != nil {
			return nil, err
		}
		if asksPush(asked) && !covers(actions, access.Write) && len(c.Refused) < maxRefused {
			c.Refused = append(c.Refused, asked.Name)
		}
		if len(actions) > 0 {
			asked.Actions = actions
			c.Access = append(c.Access, asked)
		}
	}
	text, err := s.sign(r.Context(), c)
	if err != nil {
		return nil, err
	}
	a := &tokenAnswer{Token: text, AccessToken: text, ExpiresIn: int(registryTerm / time.Second), IssuedAt: c.IssuedAt.Time().UTC().Format(time.RFC3339)}
	if t.oauth {
		a.TokenType = "Bearer"
		granted := make([]string, len(c.Access))
		for i, r := range c.Access {
			granted[i] = r.String()
		}
		a.Scope = strings.Join(granted, " ")
	}
	switch {
	case !t.offline || t.id.Kind == access.Anonymous:
	case t.refresh != "":
		a.RefreshToken = t.refresh
	case t.proved:
		a.RefreshToken = s.refreshToken(r.Context(), t.id.Principal, t.client)
	}
	return a, nil
}

// fail answers with what went wrong, once as the registry does and once as
// OAuth2 does (RFC 6749, section 5.2): clients show either.
func (s *Auth) fail(w http.ResponseWriter, r *http.Request, err error, kind string) {
	d := &access.Denied{Status: http.StatusBadRequest, Code: "UNSUPPORTED", Message: err.Error()}
	if !errors.Is(err, errForm) && !errors.Is(err, errScope) {
		d = s.refusal(r, err, "")
	}
	if d.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "status", d.Status, "error", d)
		kind = ""
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if d.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(d.RetryAfter/time.Second)))
	}
	if d.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm=`+quote(s.service))
	}
	w.WriteHeader(d.Status)
	body := map[string]any{"errors": []map[string]string{{"code": d.Code, "message": d.Message}}}
	if kind != "" {
		body["error"], body["error_description"] = kind, d.Message
	}
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.Logger.Debug("the client went away", "error", err)
	}
}

package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/failure"
	"hubledger/services/internal/repository"
)

// tokenAnswer has the field names of both forms of the protocol: clients of
// either form read only their own.
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
	if err := budget.Of(r.Context()).Account(t.id.Principal); err != nil {
		s.fail(w, r, err, "")
		return
	}
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

// grant makes a token that carries those of the requested rights that the
// principal has.
func (s *Auth) grant(r *http.Request, t tokenRequest) (*tokenAnswer, error) {
	c := s.newClaims(t.id, s.issuer(r), useRegistry, registryTerm)
	for _, asked := range t.scopes {
		actions, err := s.grantedActions(r.Context(), t.id.Principal, asked)
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
	case t.byPassword:
		a.RefreshToken = s.refreshToken(r.Context(), t.id.Principal, t.client)
	}
	return a, nil
}

// fail answers with an error, in the registry's form and in that of OAuth2 (RFC
// 6749, section 5.2): some clients show the one, some the other.
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
		h.Set("Retry-After", failure.Seconds(d.RetryAfter))
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

// grantedActions are those of the requested actions that the principal has a
// right to now. A missing right is no error: the token just does not carry it.
func (s *Auth) grantedActions(ctx context.Context, p access.Principal, asked resource) ([]string, error) {
	if asked.Type == typeRegistry {
		return asked.Actions, nil // lists and searches show only what the principal may see
	}
	name, err := repository.ParseName(asked.Name)
	if err != nil {
		return nil, nil
	}
	d, err := s.Rights.Repository(ctx, p, name.Full)
	if errors.Is(err, access.ErrParked) {
		return nil, nil // the registry's answer says why
	}
	return grantable(asked.Actions, d.Level), err
}

// BuildToken is a registry token for a build that pulls from a repository, and pushes
// to it if push is set, by the rights that an account has now. It is good for as long as
// any token of the token service, and ends with the user's password; or, when by is the id
// of an access token, with that, and has its limits. A robot account needs one. The error
// wraps access.ErrAccount or access.ErrCredential when these are not good any more.
func (s *Auth) BuildToken(ctx context.Context, account, by, repository string, push bool) (text string, ends time.Time, err error) {
	id, err := s.builds(ctx, account, by)
	if err != nil {
		return "", time.Time{}, err
	}
	asked := resource{Type: typeRepository, Name: repository, Actions: actionsOf(access.Read)}
	if push {
		asked.Actions = actionsOf(access.Write)
	}
	c := s.newClaims(id, s.service, useRegistry, registryTerm)
	granted, err := s.grantedActions(ctx, id.Principal, asked)
	if err != nil {
		return "", time.Time{}, err
	}
	if len(granted) > 0 {
		asked.Actions = granted
		c.Access = append(c.Access, asked)
	}
	text, err = s.sign(ctx, c)
	return text, c.Expiry.Time(), err
}

// BuildPushes says whether a build may push to a repository now, by the rights of an account
// and within the limits of an access token, as in BuildToken, with the same errors.
func (s *Auth) BuildPushes(ctx context.Context, account, by, repository string) (bool, error) {
	id, err := s.builds(ctx, account, by)
	if err != nil {
		return false, err
	}
	d, err := s.Rights.Repository(ctx, id.Principal, repository)
	return d.Level >= access.Write, err
}

// builds is whom a build acts for.
func (s *Auth) builds(ctx context.Context, account, by string) (identity, error) {
	a, err := s.Read.AccountByID(ctx, account)
	if err != nil {
		return identity{}, fmt.Errorf("the account of the build: %w", err)
	}
	id := identity{Principal: access.Principal{Kind: access.Kind(a.Kind), ID: a.ID, Name: a.Name, Credential: access.Password, PasswordSeq: a.ProofSeq()}}
	if by != "" {
		t, err := s.tokens.byID(ctx, s.Read, by)
		if err != nil {
			return identity{}, fmt.Errorf("the access token of the build: %w", err)
		}
		id.Credential, id.PasswordSeq, id.Limit = by, 0, t.limit
	}
	if id, err = s.live(ctx, id); err != nil {
		return identity{}, fmt.Errorf("the account %s of the build: %w", a.Name, err)
	}
	return id, nil
}

// HostToken is a registry token with which a host pulls from one repository, whatever
// accounts may do there: whoever asks for it has to know that the host is to run an image
// of it. It is good for as long as any token of the token service, and ends when the host
// is revoked.
func (s *Auth) HostToken(ctx context.Context, host *accounts.Machine, repository string) (text string, ends time.Time, err error) {
	id := identity{Principal: access.Principal{Kind: access.Host, ID: host.ID, Name: host.Name}}
	if id, err = s.live(ctx, id); err != nil {
		return "", ends, err
	}
	c := s.newClaims(id, s.service, useRegistry, registryTerm)
	c.Access = append(c.Access, resource{Type: typeRepository, Name: repository, Actions: actionsOf(access.Read)})
	text, err = s.sign(ctx, c)
	return text, c.Expiry.Time(), err
}

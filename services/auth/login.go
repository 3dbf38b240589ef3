package auth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/session"
)

// Login returns a session for a login name with a password or an access token:
// a bearer token for the API. It ends after twelve hours, or earlier when that
// password or access token ends. The error is an *access.Denied.
func (s *Auth) Login(ctx context.Context, r *http.Request, name, secret string) (bearer string, expires time.Time, err error) {
	r = r.WithContext(ctx)
	id, err := s.login(r, name, secret)
	if err != nil {
		return "", time.Time{}, err
	}
	return s.bearer(r, id)
}

// bearer is a session of who has logged in.
func (s *Auth) bearer(r *http.Request, id identity) (text string, expires time.Time, err error) {
	c := s.newClaims(id, s.issuer(r), useSession, sessionTerm)
	if text, err = s.sign(r.Context(), c); err != nil {
		return "", time.Time{}, s.refusal(r, err, "")
	}
	return text, c.Expiry.Time(), nil
}

func (s *Auth) login(r *http.Request, name, secret string) (identity, error) {
	id, err := s.identifyBy(r, name, secret)
	if errors.Is(err, access.ErrAccount) || errors.Is(err, access.ErrCredential) {
		err = errCredentials
	}
	if err != nil {
		return identity{}, s.refusal(r, err, "")
	}
	return id, nil
}

// Verify checks a user's current password, as is asked for before it is changed.
// The error is an *access.Denied. The check counts as a login.
func (s *Auth) Verify(ctx context.Context, r *http.Request, name, password string) error {
	r = r.WithContext(ctx)
	if _, ok := secretHash(password); ok {
		return s.refusal(r, errCredentials, "")
	}
	_, err := s.login(r, name, password)
	return err
}

// SignIn opens a session for a user's login name and password: a token of its own, so
// that it is listed, and can be ended, like every other. Access tokens are not accepted
// in place of the password. browser is what the list calls the session. Where there is no
// token for it, the session is one of Login, which nobody can list or end: while the log is
// read-only, for an account with as many access tokens as it may have, and for one that got
// very many a moment ago or has written as much to the log as it may. Nobody with the
// right password is refused for these.
//
// The error is an *access.Denied. Attempts are counted as those of docker login.
func (s *Auth) SignIn(ctx context.Context, r *http.Request, name, password, browser string) (session.SignedIn, error) {
	r = r.WithContext(ctx)
	if _, ok := secretHash(password); ok {
		return session.SignedIn{}, s.refusal(r, errCredentials, "")
	}
	id, err := s.login(r, name, password)
	if err != nil {
		return session.SignedIn{}, err
	}
	tab := budget.Of(ctx)
	if err := tab.Account(id.Principal); err != nil {
		return session.SignedIn{}, s.refusal(r, err, "")
	}
	if tab.LoginToken() {
		var exceeded *budget.ExceededError
		signed, err := s.listed(ctx, id, browser)
		if !errors.Is(err, events.ErrReadOnly) && !errors.Is(err, account.ErrTokenLimit) && !errors.As(err, &exceeded) {
			return signed, err
		}
	}
	text, expires, err := s.bearer(r, id)
	return session.SignedIn{Secret: text, Expires: expires}, err
}

// listed opens a session that is a token of its own.
func (s *Auth) listed(ctx context.Context, id identity, browser string) (session.SignedIn, error) {
	live, err := s.Read.LiveTokens(ctx, id.ID)
	if err != nil {
		return session.SignedIn{}, err
	}
	old, err := account.LoginsToEnd(live)
	if err != nil {
		return session.SignedIn{}, err
	}
	want := account.SessionToken(id.ID, clientName(browser), time.Now())
	secret, token, seq, err := s.issue(ctx, id.By(source), want)
	if err == nil {
		err = s.View.Wait(ctx, seq)
	}
	if err != nil {
		return session.SignedIn{}, err
	}
	if len(old) > 0 {
		s.warn("revoke the oldest login of an account", s.replace(ctx, id.Principal, token, old))
	}
	return session.SignedIn{Secret: secret, Expires: *want.Expires}, nil
}

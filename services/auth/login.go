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
	"hubledger/services/internal/origin"
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
	return id, s.loginRefused(r, err)
}

// loginRefused is the answer to a failed login: it does not say that a disabled account's
// password was right.
func (s *Auth) loginRefused(r *http.Request, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, access.ErrAccount), errors.Is(err, access.ErrCredential):
		err = errCredentials
	}
	return s.refusal(r, err, "")
}

// Verify checks a user's current password, as is asked for before it is changed, without a
// code of a second factor: see CheckCode.
// The error is an *access.Denied. The check counts as a login.
func (s *Auth) Verify(ctx context.Context, r *http.Request, name, password string) error {
	r = r.WithContext(ctx)
	if _, ok := secretHash(password); ok {
		return s.refusal(r, errCredentials, "")
	}
	_, err := s.provePassword(r, name, password)
	return s.loginRefused(r, err)
}

// SignIn opens a session for a user's login name and password: a token of its own, so
// that it is listed, and can be ended, like every other. Access tokens are not accepted
// in place of the password. browser is what the list calls the session. Where there is no
// token for it, the session is one of Login, which nobody can list or end: while the log is
// read-only or the disk is full up to its reserve, for an account with as many access tokens as it may have, and for one that got
// very many a moment ago or has written as much to the log as it may. Nobody with the
// right password is refused for these.
//
// Where the account has a second factor, what is returned is Half, and only good for
// FinishSignIn.
//
// The error is an *access.Denied. Attempts are counted as those of docker login.
func (s *Auth) SignIn(ctx context.Context, r *http.Request, name, password, browser string) (session.SignedIn, error) {
	r = r.WithContext(ctx)
	if _, ok := secretHash(password); ok {
		return session.SignedIn{}, s.refusal(r, errCredentials, "")
	}
	id, err := s.provePassword(r, name, password)
	if err != nil {
		return session.SignedIn{}, s.loginRefused(r, err)
	}
	if id.half {
		c := s.newClaims(id, s.issuer(r), useHalf, halfTerm)
		text, err := s.sign(ctx, c)
		return session.SignedIn{Secret: text, Expires: c.Expiry.Time(), Half: true}, err
	}
	return s.open(ctx, r, id, browser)
}

// FinishSignIn opens a session for who has signed in by half and gives the code of the
// second factor, or a recovery code. The error is an *access.Denied: with CodeNeeded when
// the code is wrong; 401 without it when half has ended, and signing in begins anew.
func (s *Auth) FinishSignIn(ctx context.Context, r *http.Request, half, code, browser string) (session.SignedIn, error) {
	r = r.WithContext(ctx)
	id, err := s.identifyByHalf(r, half)
	if err == nil {
		id, err = s.proveCode(r, id, code)
	}
	if err != nil {
		return session.SignedIn{}, s.refusal(r, err, "")
	}
	return s.open(ctx, r, id, browser)
}

// identifyByHalf is whose password was proved a moment ago, unless that has changed since.
func (s *Auth) identifyByHalf(r *http.Request, half string) (identity, error) {
	if err := s.Rights.Fresh(r.Context()); err != nil {
		return identity{}, err
	}
	t, err := s.verify(r.Context(), half)
	if err != nil {
		return identity{}, err
	}
	if t.Use != useHalf {
		return identity{}, errToken
	}
	if wait := s.backoff.wait(origin.Of(r).Addr, t.Subject, time.Now()); wait > 0 {
		return identity{}, s.refuseTooSoon(r.Context(), r, t.Subject, wait)
	}
	return s.live(r.Context(), identity{half: true, Principal: access.Principal{Kind: t.Kind, ID: t.Account, Name: t.Subject, Credential: t.Credential, PasswordSeq: t.Password}})
}

// open opens a session of who has signed in.
func (s *Auth) open(ctx context.Context, r *http.Request, id identity, browser string) (session.SignedIn, error) {
	tab := budget.Of(ctx)
	if err := tab.Account(id.Principal); err != nil {
		return session.SignedIn{}, s.refusal(r, err, "")
	}
	if tab.LoginToken() {
		var exceeded *budget.ExceededError
		signed, err := s.listed(ctx, id, browser)
		if !errors.Is(err, events.ErrReadOnly) && !errors.Is(err, events.ErrNoSpace) && !errors.Is(err, account.ErrTokenLimit) && !errors.As(err, &exceeded) {
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

package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/origin"
)

// maxLoginName bounds login names, in bytes: no account has a longer one.
const maxLoginName = 100

// errCredentials: the secret is not that of the name, or there is no such name.
var errCredentials = errors.New("incorrect username or password")

// throttled is the error of a login that is refused before it is checked.
type throttled struct{ wait time.Duration }

func (throttled) Error() string { return "too many failed logins" }

// provePassword checks a password, slowly unless it was checked a moment ago. The
// identity is half where the account asks for a code, too. Neither the answer nor its time reveals whether there is such an account.
func (s *Auth) provePassword(r *http.Request, name, password string) (identity, error) {
	ctx, addr := r.Context(), origin.Of(r).Addr
	if err := s.Rights.Fresh(ctx); err != nil {
		return identity{}, err
	}
	if wait := s.backoff.wait(addr, name, time.Now()); wait > 0 {
		return identity{}, s.refuseTooSoon(ctx, r, name, wait)
	}
	k := s.verified.key(name, password)
	if id, ok := s.verified.get(k, time.Now()); ok {
		id, err := s.live(ctx, id)
		if err == nil {
			if !id.half {
				s.backoff.succeeded(addr, name)
			}
			return id, nil
		}
		if !errors.Is(err, access.ErrAccount) && !errors.Is(err, access.ErrCredential) {
			return identity{}, err
		}
		s.verified.entries.drop(k) // the password was set again, perhaps to the same one
	}
	// Clients send many requests at once: one check is enough for all.
	id, err, _ := s.passwordChecks.Do(string(k[:])+network(addr).String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
		defer cancel()
		return s.attemptPassword(ctx, r, name, password, k)
	})
	if err != nil {
		return identity{}, err
	}
	return id.(identity), nil
}

// checkTimeout bounds how long a password waits for its check and is checked.
const checkTimeout = 10 * time.Second

// attemptPassword checks a password and records the outcome. An address has no
// more checks at once than it may have failures in a row.
func (s *Auth) attemptPassword(ctx context.Context, r *http.Request, name, password string, k verifiedKey) (identity, error) {
	addr := origin.Of(r).Addr
	var first bool
	for {
		wait, isFirst, leave := s.backoff.enter(addr, name, time.Now())
		if leave != nil {
			defer leave()
			first = isFirst
			break
		}
		if wait > 0 {
			return identity{}, s.refuseTooSoon(ctx, r, name, wait)
		}
		select {
		case <-time.After(20 * time.Millisecond): // other passwords from this address are being checked
		case <-ctx.Done():
			return identity{}, context.Cause(ctx)
		}
	}
	id, known, err := s.comparePassword(ctx, caller{wideNetwork(addr), s.backoff.isKnownPair(addr, name), first}, name, password)
	if err == nil {
		id, err = s.live(ctx, id)
	}
	switch {
	case errors.Is(err, errCredentials), errors.Is(err, access.ErrAccount), errors.Is(err, access.ErrCredential):
		return identity{}, s.refusePassword(addr, name, known, k)
	case err != nil:
		return identity{}, err
	}
	s.verified.put(k, id, time.Now())
	if !id.half {
		s.backoff.succeeded(addr, name)
	}
	return id, nil
}

// comparePassword compares a password with its hash: errCredentials. known says
// whether there is such an account. The account is read before the password is
// compared, so that a change in between is noticed later.
func (s *Auth) comparePassword(ctx context.Context, c caller, name, password string) (id identity, known bool, err error) {
	if s.Secrets == nil {
		return id, false, errReadOnly
	}
	user, err := s.accountOf(ctx, name)
	if err != nil {
		return id, false, err
	}
	known = user != nil
	var stored *phc
	if known && user.Kind == accounts.KindUser {
		if stored, err = s.storedHash(ctx, user.ID); err != nil {
			return id, known, err
		}
	}
	if len(password) > 4*account.MaxPassword { // in bytes: longer than any password
		password, stored = "", nil
	}
	good, err := s.hasher.matches(ctx, c, stored, password)
	if err != nil {
		return id, known, err
	}
	if !good {
		return id, known, errCredentials
	}
	return identity{half: user.SecondFactor != "", Principal: access.Principal{Kind: access.User, ID: user.ID, Name: user.Name, Admin: user.Admin,
		Credential: access.Password, PasswordSeq: user.ProofSeq()}}, true, nil
}

// accountOf is the account of a login name, nil when there is none. The name can
// be anything that was typed, also text that a database does not accept.
func (s *Auth) accountOf(ctx context.Context, name string) (*accounts.Account, error) {
	if len(name) > maxLoginName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-+") != "" {
		return nil, nil
	}
	a, err := s.Read.Account(ctx, name)
	if errors.Is(err, accounts.ErrNotFound) {
		return nil, nil
	}
	return a, err
}

// storedHash is a user's password hash, nil when they have no password.
func (s *Auth) storedHash(ctx context.Context, userID string) (*phc, error) {
	if s.Secrets == nil {
		return nil, errReadOnly
	}
	text, _, err := s.Secrets.Get(ctx, passwordKey(userID))
	if errors.Is(err, errNoSecret) {
		return nil, nil
	}
	if err != nil || len(text) == 0 { // see swapHash
		return nil, err
	}
	p, err := parsePHC(string(text))
	return &p, err
}

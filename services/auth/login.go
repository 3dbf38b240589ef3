package auth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hubledger/services/internal/access"
)

// Login returns a session for a login name with a password or an access token:
// a bearer token for the API. It ends after twelve hours, or earlier when that
// password or access token ends. The error is an *access.Denied.
func (s *Auth) Login(ctx context.Context, r *http.Request, name, secret string) (session string, expires time.Time, err error) {
	r = r.WithContext(ctx)
	id, err := s.login(r, name, secret)
	if err != nil {
		return "", time.Time{}, err
	}
	c := s.newClaims(id, s.issuer(r), useSession, sessionTerm)
	text, err := s.sign(ctx, c)
	if err != nil {
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

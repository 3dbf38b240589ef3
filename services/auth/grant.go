package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// allowed is what of the asked actions somebody has a right to now. What they
// have no right to, they get no token for; it is no error.
func (s *Auth) allowed(ctx context.Context, p access.Principal, asked resource) ([]string, error) {
	if asked.Type == typeRegistry {
		return asked.Actions, nil // what is listed or found is what they may see
	}
	name, err := repository.ParseName(asked.Name)
	if err != nil {
		return nil, nil
	}
	d, err := s.Rights.Repository(ctx, p, name.Full)
	if errors.Is(err, access.ErrParked) {
		return nil, nil // the registry says why
	}
	return grantable(asked.Actions, d.Level), err
}

// loginTerm is how long a login lasts that docker login has stored.
const loginTerm = 90 * 24 * time.Hour

// refreshToken is what a client stores in place of a password. Without it, as
// when the log is read-only, the client keeps what it has.
func (s *Auth) refreshToken(ctx context.Context, p access.Principal, client string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	expires := time.Now().Add(loginTerm)
	secret, _, seq, err := s.issue(ctx, p.By(source), events.TokenIssued{Namespace: p.ID, Kind: events.TokenLogin, Owner: p.ID,
		OwnerKind: events.GranteeUser, Name: clientName(client), Level: events.LevelAdmin, Expires: &expires})
	if err == nil {
		err = s.View.Wait(ctx, seq) // the client uses it at once
	}
	if err != nil {
		s.Logger.Warn("no token could be issued for a login", "account", p.Name, "error", err)
		return ""
	}
	return secret
}

// maxClientName bounds what is kept of what a client calls itself, in bytes.
const maxClientName = 64

// clientName is what a client calls itself, fit to be shown.
func clientName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	for len(s) > maxClientName {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	if s = strings.TrimSpace(s); s == "" {
		return "docker login"
	}
	return s
}

// IssueToken issues an access token for a user or robot account, with the
// name, level, repositories and expiry of want, and returns it: nothing keeps
// it. id is the token's; the sequence is that of the event, and the token is
// accepted once the accounts projection has it. Errors are those of
// account.IssueToken.
func (s *Auth) IssueToken(ctx context.Context, by command.By, owner *accounts.Account, want events.TokenIssued) (secret, id string, seq uint64, err error) {
	return s.issue(ctx, by, events.TokenIssued{Namespace: owner.Namespace, Kind: events.TokenAccess, Owner: owner.ID, OwnerKind: owner.Kind,
		Name: want.Name, Level: want.Level, Repositories: want.Repositories, Expires: want.Expires})
}

func (s *Auth) issue(ctx context.Context, by command.By, e events.TokenIssued) (secret, id string, seq uint64, err error) {
	if e.Token, err = command.NewID(); err != nil {
		return "", "", 0, err
	}
	secret = newSecret()
	sum := sha256.Sum256([]byte(secret))
	e.Hash = sum[:]
	if seq, err = account.IssueToken(ctx, s.Log, by, e); err != nil {
		return "", "", 0, err
	}
	return secret, e.Token, seq, nil
}

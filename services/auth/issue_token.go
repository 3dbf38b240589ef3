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
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
)

// refreshToken issues the token that a client stores in place of a password. It
// returns "" when it cannot, as when the log is read-only or the account got very
// many a moment ago: the client then keeps the password.
//
// An account with as many tokens as it may have loses its oldest logins for it:
// whoever logs in with a password can do so again, and some clients do every minute.
func (s *Auth) refreshToken(ctx context.Context, p access.Principal, client string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if !budget.Of(ctx).LoginToken() {
		return ""
	}
	live, err := s.Read.LiveTokens(ctx, p.ID)
	if err != nil {
		s.Logger.Warn("the tokens of an account could not be counted", "account", p.Name, "error", err)
		return ""
	}
	old, err := account.LoginsToEnd(live)
	if err != nil {
		s.Logger.Info("no token was issued for a login: the account has as many access tokens as it may have", "account", p.Name)
		return ""
	}
	secret, id, seq, err := s.issue(ctx, p.By(source), account.LoginToken(p.ID, clientName(client), time.Now()))
	if err == nil {
		err = s.View.Wait(ctx, seq) // the client uses it at once
	}
	if err != nil {
		s.Logger.Warn("no token could be issued for a login", "account", p.Name, "error", err)
		return ""
	}
	if len(old) > 0 {
		s.warn("revoke the oldest login of an account", s.replace(ctx, p, id, old))
	}
	return secret
}

// replace revokes logins in exchange for a new one, which is the cause of the events.
func (s *Auth) replace(ctx context.Context, p access.Principal, by string, old []string) error {
	cause, err := s.Log.Last(ctx, events.TokenSubject(p.ID, by))
	if err != nil {
		return err
	}
	why := system
	if cause != nil {
		why.Cause, why.Correlation = cause.ID(), cause.ID()
	}
	for _, id := range old {
		_, e := account.RevokeToken(ctx, s.Log, why, p.ID, id)
		err = errors.Join(err, e)
	}
	return err
}

// IssueToken issues an access token for a user or robot account, with the name,
// level, repositories, expiry and issuers of want. It returns the token itself, of which
// only the hash is kept. id is the token's; the sequence is that of the event, and the token is
// accepted once the accounts projection has it. Errors are account.ErrTokenLimit
// and those of account.IssueToken.
func (s *Auth) IssueToken(ctx context.Context, by command.By, owner *accounts.Account, want events.TokenIssued) (secret, id string, seq uint64, err error) {
	live, err := s.Read.LiveTokens(ctx, owner.ID)
	if err != nil {
		return "", "", 0, err
	}
	if err := account.CheckTokenLimit(live); err != nil {
		return "", "", 0, err
	}
	return s.issue(ctx, by, account.AccessToken(owner, want))
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

// maxClientName bounds what is kept of a client's name for itself, in bytes.
const maxClientName = 64

// clientName is a client's name for itself, made fit to be shown.
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

package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/internal/plaintext"
	"hubledger/services/internal/repository"
)

const (
	maxTokenName         = 100 // bytes
	maxTokenRepositories = 100
	maxIssuers           = 4
)

// IssueToken records an access token with a new id. ErrInvalid.
func IssueToken(ctx context.Context, log command.Log, by command.By, p events.TokenIssued) (uint64, error) {
	if err := checkIDs(append([]string{p.Namespace, p.Token, p.Owner}, p.Issuers...)...); err != nil {
		return 0, err
	}
	if err := checkToken(p); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return command.Append(ctx, log, by, p, 0)
}

func checkToken(p events.TokenIssued) error {
	switch {
	case p.Kind != events.TokenAccess && p.Kind != events.TokenLogin && p.Kind != events.TokenSession:
		return errors.New("a token is of kind access, login or session")
	case p.OwnerKind != events.GranteeUser && p.OwnerKind != events.GranteeRobot:
		return errors.New("a token's owner is a user or a robot")
	case p.OwnerKind == events.GranteeUser && p.Owner != p.Namespace:
		return errors.New("a user's token belongs to the user's own namespace")
	case len(p.Hash) != sha256.Size:
		return errors.New("a token's hash is its SHA-256")
	case p.Name == "" || len(p.Name) > maxTokenName || !plaintext.IsLine(p.Name):
		return fmt.Errorf("a token's name is 1 to %d bytes of UTF-8 without control characters and such that turn the direction of writing", maxTokenName)
	case p.Expires != nil && !p.Expires.After(time.Now()):
		return errors.New("a token expires in the future")
	}
	switch p.Level {
	case events.LevelRead, events.LevelWrite, events.LevelDelete, events.LevelAdmin:
	default:
		return errors.New("a token's level is read, write, delete or admin")
	}
	return checkRepositories(p.Repositories)
}

func checkRepositories(names []string) error {
	// In an event an empty list looks like none, which means all repositories.
	if names != nil && len(names) == 0 || len(names) > maxTokenRepositories {
		return fmt.Errorf("a token is for all repositories or for 1 to %d", maxTokenRepositories)
	}
	for _, s := range names {
		name, err := repository.ParseName(s)
		if err != nil {
			return err
		}
		if name.Full != s {
			return fmt.Errorf("the full name of %s is %s", s, name.Full)
		}
	}
	return nil
}

// IssuedBy adds to a token that a principal asks for what follows from the
// credential that they came by: a token that was issued by another one ends with
// it, when that is revoked and when it expires. ErrInvalid.
func IssuedBy(ctx context.Context, read Tokens, p access.Principal, want events.TokenIssued) (events.TokenIssued, error) {
	if p.Kind == access.Operator || p.Credential == access.Password {
		return want, nil
	}
	issuer, err := read.Token(ctx, p.Credential)
	switch {
	case err != nil:
		return want, err
	case issuer.Kind == events.TokenSession: // stands for the password that it was opened by
		return want, nil
	case len(issuer.Issuers) >= maxIssuers:
		return want, fmt.Errorf("%w: this token was itself issued by way of %d others: log in by password to issue a token", ErrInvalid, maxIssuers)
	case issuer.Expires == nil:
	case want.Expires == nil:
		want.Expires = issuer.Expires
	case want.Expires.After(*issuer.Expires):
		return want, fmt.Errorf("%w: a token expires no later than the one that issues it, which expires at %s: log in by password for a longer one",
			ErrInvalid, issuer.Expires.Format(time.RFC3339))
	}
	want.Issuers = append([]string{issuer.ID}, issuer.Issuers...)
	return want, nil
}

// Tokens finds access tokens: accounts.Reader.
type Tokens interface {
	Token(ctx context.Context, id string) (*accounts.Token, error)
}

// RevokeTokenOf is RevokeToken for a token of that owner. ErrUnknown, or an
// error that wraps accounts.ErrNotFound, when the owner has no such token.
func RevokeTokenOf(ctx context.Context, log command.Log, by command.By, read Tokens, owner, token string) (uint64, error) {
	t, err := read.Token(ctx, token)
	if err != nil {
		return 0, err
	}
	if t.Owner != owner {
		return 0, ErrUnknown
	}
	return RevokeToken(ctx, log, by, t.Namespace, t.ID)
}

// RevokeToken ends a token at once. ErrUnknown when it was never issued.
func RevokeToken(ctx context.Context, log command.Log, by command.By, namespace, token string) (uint64, error) {
	if err := checkIDs(namespace, token); err != nil {
		return 0, err
	}
	p := events.TokenRevoked{Namespace: namespace, Token: token}
	return command.Decide(ctx, log, by, p.Subject(), ending(p))
}

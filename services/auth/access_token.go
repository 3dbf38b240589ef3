package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
)

// An accessToken holds what never changes of an access token once it was issued.
type accessToken struct {
	id        string
	owner     string // id
	ownerKind access.Kind
	ownerName string
	kind      string // events.TokenAccess, TokenLogin or TokenSession
	limit     *access.Limit
}

// A tokenCache keeps tokens by their hash and by their id. Whether they are still
// valid is checked elsewhere, each time.
type tokenCache struct {
	hashes *bounded[[sha256.Size]byte, *accessToken]
	ids    *bounded[string, *accessToken]
}

func newTokenCache() *tokenCache {
	return &tokenCache{newBounded[[sha256.Size]byte, *accessToken](20_000), newBounded[string, *accessToken](20_000)}
}

func (c *tokenCache) byHash(ctx context.Context, read accounts.Reader, sum [sha256.Size]byte) (*accessToken, error) {
	if t, ok := c.hashes.get(sum); ok {
		return t, nil
	}
	row, err := read.TokenByHash(ctx, sum[:])
	if err != nil {
		return nil, err
	}
	t, err := withOwner(ctx, read, row)
	if err == nil {
		c.hashes.put(sum, t)
	}
	return t, err
}

func (c *tokenCache) byID(ctx context.Context, read accounts.Reader, id string) (*accessToken, error) {
	if t, ok := c.ids.get(id); ok {
		return t, nil
	}
	row, err := read.Token(ctx, id)
	if err != nil {
		return nil, err
	}
	t, err := withOwner(ctx, read, row)
	if err == nil {
		c.ids.put(id, t)
	}
	return t, err
}

// withOwner adds the owner's name to a token's row.
func withOwner(ctx context.Context, read accounts.Reader, row *accounts.Token) (*accessToken, error) {
	owner, err := read.AccountByID(ctx, row.Owner)
	if err != nil {
		return nil, err
	}
	level, ok := levels[row.Level]
	if !ok {
		return nil, fmt.Errorf("token %s has the level %q", row.ID, row.Level)
	}
	t := &accessToken{id: row.ID, owner: row.Owner, ownerKind: access.Kind(row.OwnerKind), ownerName: owner.Name, kind: row.Kind}
	if level != access.Admin || row.Repositories != nil {
		t.limit = &access.Limit{Level: level, Repositories: row.Repositories}
	}
	return t, nil
}

// levels are those of tokens, by their names in events.
var levels = map[string]access.Level{
	events.LevelRead: access.Read, events.LevelWrite: access.Write, events.LevelDelete: access.Delete, events.LevelAdmin: access.Admin,
}

// identifyBySecret identifies by the hash of an access token. name is the login
// name that was given with it, "" for none.
func (s *Auth) identifyBySecret(r *http.Request, sum [sha256.Size]byte, name string) (identity, error) {
	ctx := r.Context()
	if err := s.Rights.Fresh(ctx); err != nil {
		return identity{}, err
	}
	at := s.View.Position()
	t, err := s.tokens.byHash(ctx, s.Read, sum)
	if errors.Is(err, accounts.ErrNotFound) && command.Since(at, s.Log, s.View).Missed(ctx) { // issued a moment ago, perhaps on another node
		t, err = s.tokens.byHash(ctx, s.Read, sum)
	}
	if errors.Is(err, accounts.ErrNotFound) {
		return identity{}, s.refuseSecret(r, sum, "", errCredentials)
	}
	if err != nil {
		return identity{}, err
	}
	if name != "" && name != t.ownerName {
		return identity{}, s.refuseSecret(r, sum, t.ownerName, errCredentials)
	}
	id := identity{Principal: access.Principal{Kind: t.ownerKind, ID: t.owner, Name: t.ownerName, Credential: t.id, Limit: t.limit}}
	if id, err = s.live(ctx, id); errors.Is(err, access.ErrAccount) || errors.Is(err, access.ErrCredential) {
		return identity{}, s.refuseSecret(r, sum, t.ownerName, err)
	}
	if err == nil {
		s.Activity.Touch(t.id, time.Now())
	}
	return id, err
}

// secretLength is that of an access token: the prefix and 256 bits in base64url.
const secretLength = len(account.TokenPrefix) + 43

var base64url = base64.RawURLEncoding.Strict()

// newSecret makes an access token.
func newSecret() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return account.TokenPrefix + base64url.EncodeToString(raw)
}

// secretHash is the SHA-256 of an access token; ok is false when s does not have
// the form of one.
func secretHash(s string) (sum [sha256.Size]byte, ok bool) {
	// The decoder ignores line ends.
	if len(s) != secretLength || !strings.HasPrefix(s, account.TokenPrefix) || strings.ContainsAny(s, "\r\n") {
		return sum, false
	}
	if _, err := base64url.DecodeString(s[len(account.TokenPrefix):]); err != nil {
		return sum, false
	}
	return sha256.Sum256([]byte(s)), true
}

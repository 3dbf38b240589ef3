package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
)

const (
	registryTerm = 5 * time.Minute // of a token of the token service
	halfTerm     = 5 * time.Minute // for the code of a second factor
	sessionTerm  = 12 * time.Hour  // of a session of the API; less than keyGrace
	leeway       = time.Minute     // how far the clocks of nodes may differ
)

// Uses of the tokens that we sign.
const (
	useRegistry = "registry" // allows what its access claim lists
	useSession  = "session"  // allows what its credential allows
	useHalf     = "half"     // allows to give the code of a second factor, and nothing else
)

// claims are those of a signed token. They name the account and the credential
// that it was issued for, which are checked again on every request.
type claims struct {
	jwt.Claims
	Access     []resource  `json:"access"`
	Refused    []string    `json:"hub_refused,omitempty"` // repositories for which push was asked for and not granted; at most maxRefused
	Use        string      `json:"hub_use"`
	Account    string      `json:"hub_account,omitempty"` // id; absent for an anonymous token
	Kind       access.Kind `json:"hub_kind"`
	Credential string      `json:"hub_credential,omitempty"` // "password", or the id of an access token
	Password   uint64      `json:"hub_password,omitempty"`   // sequence of the password that it was issued for
}

// verifiedJWT is a token of ours that was verified.
type verifiedJWT struct {
	claims
	actions map[string][]string // granted on repositories, by full name
	catalog bool                // may list and search
	expires time.Time
}

// newClaims are those of a token for an identity.
func (s *Auth) newClaims(id identity, issuer, use string, term time.Duration) claims {
	now := time.Now()
	c := claims{Use: use, Account: id.ID, Kind: id.Kind, Credential: id.Credential, Password: id.PasswordSeq, Access: []resource{}}
	c.Claims = jwt.Claims{Issuer: issuer, Audience: jwt.Audience{s.service}, ID: uuid.NewString(), IssuedAt: jwt.NewNumericDate(now),
		NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(term))}
	if id.Kind != access.Anonymous {
		c.Subject = id.Name
	}
	return c
}

func (s *Auth) sign(ctx context.Context, c claims) (string, error) {
	key, err := s.keys.signing(ctx)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key.private, KeyID: key.id()}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(c).Serialize()
}

// errToken: a token is not one of ours, or has expired.
var errToken = errors.New("invalid token")

// maxJWT bounds a signed token in bytes; the server bounds headers anyway.
const maxJWT = 48 << 10

// verify checks a token that we signed. Its claims about the account are from the
// time when it was signed. The error is errToken or that of reading the keys.
func (s *Auth) verify(ctx context.Context, text string) (*verifiedJWT, error) {
	if len(text) > maxJWT {
		return nil, errToken
	}
	sum := sha256.Sum256([]byte(text))
	if v, ok := s.jwts.get(sum); ok {
		if time.Now().Before(v.expires) {
			return v, nil
		}
		s.jwts.drop(sum)
		return nil, fmt.Errorf("%w: it has expired", errToken)
	}
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(parsed.Headers) != 1 {
		return nil, errToken
	}
	key, err := s.keys.verifying(ctx, parsed.Headers[0].KeyID)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, errToken
	}
	v := &verifiedJWT{}
	if err := parsed.Claims(key, &v.claims); err != nil {
		return nil, errToken
	}
	if v.Expiry == nil {
		return nil, errToken
	}
	// The clock of the node that issued it may be ahead of ours.
	err = v.ValidateWithLeeway(jwt.Expected{AnyAudience: jwt.Audience{s.service}, Time: time.Now()}, leeway)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errToken, err)
	}
	if v.expires = v.Expiry.Time(); !time.Now().Before(v.expires) {
		return nil, fmt.Errorf("%w: it has expired", errToken)
	}
	v.actions = map[string][]string{}
	for _, r := range v.Access {
		switch {
		case r.Type == typeRegistry && r.Name == nameCatalog:
			v.catalog = true
		case r.Type == typeRepository:
			if name, err := repository.ParseName(r.Name); err == nil {
				v.actions[name.Full] = append(v.actions[name.Full], r.Actions...)
			}
		}
	}
	s.jwts.put(sum, text, v)
	return v, nil
}

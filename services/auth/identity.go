package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/origin"
)

// An identity is a principal and the registry token that names them.
type identity struct {
	access.Principal
	token *verifiedJWT // nil when the request has no registry token
	half  bool         // the password is proved, and the account asks for a code, too
}

// Authenticate returns the principal of a request. Accepted are Basic with a
// password or an access token, and Bearer (or JWT, as scripts for Docker Hub
// write it) with a session, an access token or a registry token. A request
// without credentials, or with an empty Basic, is access.Nobody. With a registry
// token the principal may only read what it names. Errors are *access.Denied.
func (s *Auth) Authenticate(r *http.Request) (access.Principal, error) {
	id, err := s.identify(r)
	if err != nil {
		return access.Nobody, s.refusal(r, err, "")
	}
	if id.Kind == access.Host { // it pulls, and nothing else
		return access.Nobody, s.refusal(r, errToken, "")
	}
	if id.token != nil {
		id.Limit = id.token.limit(id.Limit)
	}
	return id.Principal, nil
}

// limit is what a registry token allows outside the registry, within the limit of
// the credential that it was issued for.
func (t *verifiedJWT) limit(of *access.Limit) *access.Limit {
	l := &access.Limit{Level: access.Read, Repositories: []string{}}
	if t.catalog {
		if of != nil {
			l.Repositories = of.Repositories
		} else {
			l.Repositories = nil
		}
		return l
	}
	for name, actions := range t.actions {
		if covers(actions, access.Read) && (of == nil || of.Repositories == nil || slices.Contains(of.Repositories, name)) {
			l.Repositories = append(l.Repositories, name)
		}
	}
	return l
}

// errScheme: the Authorization header has a scheme that is not accepted.
var errScheme = errors.New("an Authorization is Basic or Bearer")

// identify returns the identity of a request. The accounts have to be fresh for
// anonymous requests too: a repository may have become private. Who comes by a way that
// proves who it is needs no credentials.
func (s *Auth) identify(r *http.Request) (identity, error) {
	nobody := identity{Principal: access.Nobody}
	if p, known := access.PrincipalOf(r.Context()); known {
		return identity{Principal: p}, nil
	}
	if err := s.Rights.Fresh(r.Context()); err != nil {
		return nobody, err
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return nobody, nil
	}
	scheme, value, _ := strings.Cut(header, " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(scheme) {
	case "basic":
		name, secret, ok := r.BasicAuth()
		switch {
		case !ok:
			return nobody, errScheme
		case name == "" && secret == "":
			return nobody, nil // docker search without a login
		}
		return s.identifyBy(r, name, secret)
	case "bearer", "jwt":
		if sum, ok := secretHash(value); ok {
			return s.identifyBySecret(r, sum, "")
		}
		return s.identifyByJWT(r.Context(), value)
	}
	return nobody, errScheme
}

// identifyBy identifies by a login name with a password or an access token.
func (s *Auth) identifyBy(r *http.Request, name, secret string) (identity, error) {
	if sum, ok := secretHash(secret); ok {
		if name == "" {
			return identity{}, errCredentials
		}
		return s.identifyBySecret(r, sum, name)
	}
	return s.identifyByPassword(r, name, secret)
}

// identifyByPassword identifies by a password and, where the account asks for it, by the
// code in the header apitypes.CodeHeader.
func (s *Auth) identifyByPassword(r *http.Request, name, password string) (identity, error) {
	id, err := s.provePassword(r, name, password)
	if err != nil || !id.half {
		return id, err
	}
	code := r.Header.Get(apitypes.CodeHeader)
	if code == "" {
		return identity{}, errCodeNeeded
	}
	return s.proveCode(r, id, code)
}

// proveCode takes the code of somebody whose password is proved.
func (s *Auth) proveCode(r *http.Request, id identity, code string) (identity, error) {
	if err := s.useCode(r.Context(), r, id.ID, id.Name, code); err != nil {
		return identity{}, err
	}
	s.backoff.succeeded(origin.Of(r).Addr, id.Name)
	id.half = false
	return id, nil
}

func (s *Auth) identifyByJWT(ctx context.Context, text string) (identity, error) {
	t, err := s.verify(ctx, text)
	if err != nil {
		return identity{}, err
	}
	id := identity{Principal: access.Nobody}
	switch t.Use {
	case useRegistry:
		id.token = t
	case useSession:
	default:
		return identity{}, errToken
	}
	if t.Kind == access.Host {
		id.Principal = access.Principal{Kind: t.Kind, ID: t.Account, Name: t.Subject, Limit: t.limit(nil)}
		return s.live(ctx, id)
	}
	if t.Account == "" {
		if id.token == nil {
			return identity{}, errToken
		}
		return id, nil
	}
	id.Principal = access.Principal{Kind: t.Kind, ID: t.Account, Name: t.Subject, Credential: t.Credential}
	if t.Credential == access.Password {
		id.PasswordSeq = t.Password
	} else {
		issued, err := s.tokens.byID(ctx, s.Read, t.Credential)
		if errors.Is(err, accounts.ErrNotFound) {
			return identity{}, errToken
		}
		if err != nil {
			return identity{}, err
		}
		id.Limit = issued.limit
	}
	return s.live(ctx, id)
}

// live checks that the account and the credential are still valid.
func (s *Auth) live(ctx context.Context, id identity) (_ identity, err error) {
	id.Principal, err = s.Rights.Live(ctx, id.Principal)
	return id, err
}

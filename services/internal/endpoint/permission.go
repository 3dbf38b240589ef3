package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
)

// full says whether the credential may do all that the account may.
func full(p access.Principal) bool {
	return p.Limit == nil || p.Limit.Level >= access.Admin && p.Limit.Repositories == nil
}

// authorize decides whether p may use an endpoint; param gives the path's values.
func (s *Set) authorize(ctx context.Context, p access.Principal, need access.Permission, param func(string) string) (*Call, error) {
	c := &Call{Principal: p}
	signedIn := p.Kind != access.Anonymous
	switch need {
	case access.Open, access.Anyone:
		return c, nil
	case access.SignedIn, access.FullAccount, access.Self, access.SelfOrHubAdmin, access.HubAdmin:
		if !signedIn {
			return nil, Unauthorized("log in first")
		}
		return c, mayUseAccounts(p, need, param("user"))
	case access.OwnMembershipOrNamespaceAdmin:
		level := need.Level()
		if p.Kind == access.User && p.Name == param("member") && full(p) {
			level = access.Read
		}
		return c, s.admitToNamespace(ctx, c, level, param("namespace"))
	case access.NamespaceMember, access.NamespaceWriter, access.NamespaceAdmin:
		return c, s.admitToNamespace(ctx, c, need.Level(), param("namespace"))
	case access.RepositoryRead, access.RepositoryWrite, access.RepositoryDelete, access.RepositoryAdmin:
		return c, s.admitToRepository(ctx, c, need.Level(), param("namespace"), param("name"))
	}
	return nil, Fail(http.StatusInternalServerError, "this endpoint declares no permission")
}

// mayWrite refuses changes to anonymous principals and to credentials that are
// good for reading only, such as the short tokens of docker pull.
func mayWrite(p access.Principal) error {
	switch {
	case p.Kind == access.Anonymous:
		return Unauthorized("log in first")
	case p.Limit != nil && p.Limit.Level < access.Write:
		return Fail(http.StatusForbidden, "this token is good for reading only")
	}
	return nil
}

// mayUseAccounts decides whether a signed-in principal has one of the permissions
// about accounts. user is that of {user}.
func mayUseAccounts(p access.Principal, need access.Permission, user string) error {
	self := p.Kind == access.User && p.Name == user
	switch {
	case need == access.SignedIn:
		return nil
	case !full(p):
		return Fail(http.StatusForbidden, "this token is not good for accounts: log in by password, or use a token of level admin for all repositories")
	// The name is as the client wrote it, of any length.
	case need == access.Self && !self && p.Kind != access.Operator:
		return Fail(http.StatusForbidden, fmt.Sprintf("only %.50s may do that", user))
	case need == access.SelfOrHubAdmin && !self && !p.Admin:
		return Fail(http.StatusForbidden, fmt.Sprintf("only %.50s and administrators of the hub may do that", user))
	case need == access.HubAdmin && !p.Admin:
		return Fail(http.StatusForbidden, "only administrators of the hub may do that")
	}
	return nil
}

func (s *Set) admitToNamespace(ctx context.Context, c *Call, need access.Level, name string) (err error) {
	c.Level, c.Namespace, err = s.Rights.Namespace(ctx, c.Principal, name)
	switch {
	case errors.Is(err, accounts.ErrNotFound):
		return NotFound()
	case err != nil:
		return err
	case c.Level >= need && c.Namespace != nil:
		return nil
	case c.Principal.Kind == access.Anonymous:
		return Unauthorized("log in first")
	case c.Level >= access.Read && need == access.Write:
		return Fail(http.StatusForbidden, "only those who may push to all repositories of "+name+" may do that")
	case c.Level >= access.Read:
		return Fail(http.StatusForbidden, "only those who own "+name+" may do that")
	}
	return NotFound()
}

func (s *Set) admitToRepository(ctx context.Context, c *Call, need access.Level, namespace, rest string) error {
	name, err := repository.ParseName(namespace + "/" + rest)
	if err != nil {
		return NotFound().Because(err)
	}
	d, err := s.Rights.Repository(ctx, c.Principal, name.Full)
	switch {
	case err != nil:
		return err
	case d.Repository == nil || d.Level < access.Read:
		return NotFound()
	case d.Level >= need:
		c.Repository, c.Level, c.Namespace = d.Repository, d.Level, d.Namespace
		return nil
	case c.Principal.Kind == access.Anonymous:
		return Unauthorized("log in first")
	}
	return Fail(http.StatusForbidden, "you may not do that with "+name.Full)
}

// Unauthorized asks for credentials by Basic. The registry has a challenge of its
// own, whose realm is an address.
func Unauthorized(detail string) *Problem {
	return Fail(http.StatusUnauthorized, detail).With("WWW-Authenticate", `Basic realm="hubledger"`)
}

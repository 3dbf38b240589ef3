package api

import (
	"context"
	"errors"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
)

// A Permission is what a route asks of a principal. Routes are refused to
// everybody until they declare one: the zero Permission is none.
type Permission uint8

const (
	_ Permission = iota
	// Open looks at no credentials at all: logins, and what is the same for all.
	Open
	// Anyone may ask; the answer shows what the principal may see.
	Anyone
	// SignedIn is any account, whatever its credential is good for.
	SignedIn
	// FullAccount is an account whose credential is good for all it may: a
	// password, a session, or a token of level admin for all repositories.
	FullAccount
	// Self is the user of {user} by a full credential.
	Self
	// SelfOrHubAdmin is the user of {user}, or an administrator of the hub,
	// by a full credential.
	SelfOrHubAdmin
	// HubAdmin is an administrator of the hub by a full credential.
	HubAdmin
	// NamespaceMember sees the namespace of {namespace}: its owner, or a member
	// of the organization.
	NamespaceMember
	// NamespaceAdmin owns the namespace of {namespace}.
	NamespaceAdmin
	// RepositoryRead and those below are levels on {namespace}/{name}.
	RepositoryRead
	RepositoryWrite
	RepositoryDelete
	RepositoryAdmin
)

var levels = map[Permission]access.Level{
	RepositoryRead: access.Read, RepositoryWrite: access.Write, RepositoryDelete: access.Delete, RepositoryAdmin: access.Admin,
	NamespaceMember: access.Read, NamespaceAdmin: access.Admin,
}

// A call is a request whose principal may make it, with what was found out on
// the way.
type call struct {
	p         access.Principal
	request   *http.Request
	namespace *accounts.Namespace  // of {namespace}
	level     access.Level         // on that namespace, or on the repository
	repo      *accounts.Repository // of {namespace}/{name}
}

type callKey struct{}

// callOf is the call of a request that passed authorize.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// full says whether the credential is good for all that the account may.
func full(p access.Principal) bool {
	return p.Limit == nil || p.Limit.Level >= access.Admin && p.Limit.Repositories == nil
}

// authorize decides whether p may use a route; param gives the path's parts.
func (s *API) authorize(ctx context.Context, p access.Principal, need Permission, param func(string) string) (*call, error) {
	c := &call{p: p}
	signedIn := p.Kind != access.Anonymous
	switch need {
	case Open, Anyone:
		return c, nil
	case SignedIn, FullAccount, Self, SelfOrHubAdmin, HubAdmin:
		if !signedIn {
			return nil, unauthorized()
		}
		return c, s.allows(p, need, param("user"))
	case NamespaceMember, NamespaceAdmin:
		return c, s.enterNamespace(ctx, c, levels[need], param("namespace"))
	case RepositoryRead, RepositoryWrite, RepositoryDelete, RepositoryAdmin:
		return c, s.enterRepository(ctx, c, levels[need], param("namespace"), param("name"))
	}
	return nil, fail(http.StatusInternalServerError, "this endpoint declares no permission")
}

// writes says whether p may change anything at all: nobody in particular does,
// nor a credential that is good for reading only, such as the short tokens
// of docker pull.
func writes(p access.Principal) error {
	switch {
	case p.Kind == access.Anonymous:
		return unauthorized()
	case p.Limit != nil && p.Limit.Level < access.Write:
		return fail(http.StatusForbidden, "this token is good for reading only")
	}
	return nil
}

func (s *API) allows(p access.Principal, need Permission, user string) error {
	self := p.Kind == access.User && p.Name == user
	switch {
	case need == SignedIn:
		return nil
	case !full(p):
		return fail(http.StatusForbidden, "this token is not good for accounts: log in by password, or use a token of level admin for all repositories")
	case need == Self && !self && p.Kind != access.Operator:
		return fail(http.StatusForbidden, "only "+user+" may do that")
	case need == SelfOrHubAdmin && !self && !p.Admin:
		return fail(http.StatusForbidden, "only "+user+" and administrators of the hub may do that")
	case need == HubAdmin && !p.Admin:
		return fail(http.StatusForbidden, "only administrators of the hub may do that")
	}
	return nil
}

func (s *API) enterNamespace(ctx context.Context, c *call, need access.Level, name string) (err error) {
	c.level, c.namespace, err = s.Rights.Namespace(ctx, c.p, name)
	switch {
	case errors.Is(err, accounts.ErrNotFound):
		return notFound()
	case err != nil:
		return err
	case c.level >= need && c.namespace != nil:
		return nil
	case c.p.Kind == access.Anonymous:
		return unauthorized()
	case c.level >= access.Read:
		return fail(http.StatusForbidden, "only those who own "+name+" may do that")
	}
	return notFound()
}

func (s *API) enterRepository(ctx context.Context, c *call, need access.Level, namespace, rest string) error {
	name, err := repository.ParseName(namespace + "/" + rest)
	if err != nil {
		return notFound().because(err)
	}
	d, err := s.Rights.Repository(ctx, c.p, name.Full)
	switch {
	case err != nil:
		return err
	case d.Repository == nil || d.Level < access.Read:
		return notFound()
	case d.Level >= need:
		c.repo, c.level, c.namespace = d.Repository, d.Level, d.Namespace
		return nil
	case c.p.Kind == access.Anonymous:
		return unauthorized()
	}
	return fail(http.StatusForbidden, "you may not do that with "+name.Full)
}

// unauthorized asks for credentials. The realm is a word, not an address:
// clients of the registry have a challenge of their own.
func unauthorized() *problem {
	return fail(http.StatusUnauthorized, "log in first").with("WWW-Authenticate", `Basic realm="hubledger"`)
}

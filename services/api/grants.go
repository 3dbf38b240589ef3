package api

import (
	"context"
	"net/http"

	"hubledger/services/api/people"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// GranteePath names a grantee.
type GranteePath struct {
	Kind    string `path:"kind" enum:"user,team,robot" doc:"What is given the role"`
	Grantee string `path:"grantee" maxLength:"81" doc:"Login name of a user; or the name of a team or a robot account of the organization"`
}

type setGrantIn struct {
	openapi.RepositoryPath
	GranteePath
	Body apitypes.RoleRequest
}

type listGrantsIn struct {
	openapi.RepositoryPath
	openapi.Listing
	people.AsOf
}

type listNamespaceGrantsIn struct {
	NamespacePath
	openapi.Listing
	people.AsOf
}

type removeGrantIn struct {
	openapi.RepositoryPath
	GranteePath
}

// NamespacePath names a namespace.
type NamespacePath struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"Name of a user or an organization"`
}

type setNamespaceGrantIn struct {
	NamespacePath
	GranteePath
	Body apitypes.RoleRequest
}

type removeNamespaceGrantIn struct {
	NamespacePath
	GranteePath
}

func (s *API) registerGrants() {
	const one, all = repositoryPath + "/grants", "/namespaces/{namespace}/grants"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: one, ID: "list-grants", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.List, Summary: "List the roles given on a repository",
		About: "Lists robot accounts, then teams, then users, by name. Owners and grants on the whole namespace are not listed, and count as well."}, s.listGrants)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: one + "/{kind}/{grantee}", ID: "set-grant", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Write, Summary: "Give a role on a repository"}, s.setGrant)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: one + "/{kind}/{grantee}", ID: "remove-grant", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Write, Summary: "Withdraw a role on a repository"}, s.removeGrant)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: all, ID: "list-namespace-grants", Tag: "namespaces", Permission: access.NamespaceAdmin, Cost: budget.List, Summary: "List the roles given on a whole namespace"}, s.listNamespaceGrants)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: all + "/{kind}/{grantee}", ID: "set-namespace-grant", Tag: "namespaces", Permission: access.NamespaceAdmin, Cost: budget.Write,
		Summary: "Give a role on a whole namespace", About: "Applies to its present and future repositories; write and admin also allow creating repositories."}, s.setNamespaceGrant)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: all + "/{kind}/{grantee}", ID: "remove-namespace-grant", Tag: "namespaces", Permission: access.NamespaceAdmin, Cost: budget.Write, Summary: "Withdraw a role on a whole namespace"}, s.removeNamespaceGrant)
}

// grantsOn lists the grants on a repository, or with "" on a whole namespace: those of
// robot accounts, of teams and of users, each by name.
func (s *API) grantsOn(ctx context.Context, c *endpoint.Call, in openapi.Listing, when people.AsOf, namespace, repository string) (*openapi.List[apitypes.Grant], error) {
	read, done, err := when.Reader(ctx, s.Past, c.Namespace)
	if err != nil {
		return nil, err
	}
	defer done()
	grants, err := read.Grants(ctx, namespace, repository)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Grant, len(grants))
	for i, g := range grants {
		views[i] = apitypes.Grant{Kind: g.GranteeKind, Name: g.GranteeName, Role: g.Role, Given: apitypes.Given{By: g.By, Since: g.At, Seq: g.Seq}}
	}
	return openapi.PageOf(c, views, in, func(g apitypes.Grant) string { return g.Kind + " " + g.Name })
}

func (s *API) listGrants(ctx context.Context, c *endpoint.Call, in *listGrantsIn) (*openapi.List[apitypes.Grant], error) {
	return s.grantsOn(ctx, c, in.Listing, in.AsOf, c.Repository.Namespace, c.Repository.ID)
}

func (s *API) listNamespaceGrants(ctx context.Context, c *endpoint.Call, in *listNamespaceGrantsIn) (*openapi.List[apitypes.Grant], error) {
	return s.grantsOn(ctx, c, in.Listing, in.AsOf, c.Namespace.ID, "")
}

func (s *API) setGrant(ctx context.Context, c *endpoint.Call, in *setGrantIn) (*openapi.Change, error) {
	return s.give(ctx, c, c.Repository.ID, in.GranteePath, in.Body.Role)
}

func (s *API) setNamespaceGrant(ctx context.Context, c *endpoint.Call, in *setNamespaceGrantIn) (*openapi.Change, error) {
	return s.give(ctx, c, "", in.GranteePath, in.Body.Role)
}

func (s *API) give(ctx context.Context, c *endpoint.Call, repository string, to GranteePath, role string) (*openapi.Change, error) {
	on := account.Role{Namespace: c.Namespace, Repository: repository, Kind: to.Kind, Grantee: to.Grantee}
	seq, err := account.GiveRole(ctx, s.Log, c.By(), s.Accounts, on, role)
	return s.Changed(ctx, seq, endpoint.Located(noGrantee(err), "body.role", account.ErrUseless))
}

// noGrantee says that the path's grantee is at fault, if err is about that.
func noGrantee(err error) error {
	return endpoint.Located(err, "path.grantee", account.ErrNoUser, account.ErrNoGrantee)
}

func (s *API) removeGrant(ctx context.Context, c *endpoint.Call, in *removeGrantIn) (*openapi.Change, error) {
	return s.withdraw(ctx, c, c.Repository.ID, in.GranteePath)
}

func (s *API) removeNamespaceGrant(ctx context.Context, c *endpoint.Call, in *removeNamespaceGrantIn) (*openapi.Change, error) {
	return s.withdraw(ctx, c, "", in.GranteePath)
}

func (s *API) withdraw(ctx context.Context, c *endpoint.Call, repository string, of GranteePath) (*openapi.Change, error) {
	on := account.Role{Namespace: c.Namespace, Repository: repository, Kind: of.Kind, Grantee: of.Grantee}
	seq, err := account.WithdrawRole(ctx, s.Log, c.By(), s.Accounts, on)
	return s.Changed(ctx, seq, noGrantee(err))
}

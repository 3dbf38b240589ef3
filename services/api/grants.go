package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
)

type grantView struct {
	Kind string `json:"kind" enum:"user,team,robot" doc:"What has the role"`
	Name string `json:"name" doc:"Login name, or name of the team"`
	Role string `json:"role" enum:"read,write,admin" doc:"read pulls, write pushes and deletes tags too, admin does everything"`
}

// GranteePath names whom a grant is for.
type GranteePath struct {
	Kind    string `path:"kind" enum:"user,team,robot" doc:"What is given the role"`
	Grantee string `path:"grantee" maxLength:"81" doc:"Login name of a user; or the name of a team or a robot account of the organization"`
}

type roleBody struct {
	Role string `json:"role" enum:"read,write,admin" doc:"write pushes and deletes tags and images; admin also changes settings and grants"`
}

type setGrantIn struct {
	RepositoryPath
	GranteePath
	Body roleBody
}

type removeGrantIn struct {
	RepositoryPath
	GranteePath
}

// NamespacePath names a namespace.
type NamespacePath struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"Name of a user or an organization"`
}

type setNamespaceGrantIn struct {
	NamespacePath
	GranteePath
	Body roleBody
}

type removeNamespaceGrantIn struct {
	NamespacePath
	GranteePath
}

func (s *API) registerGrants() {
	const one, all = repositoryPath + "/grants", "/namespaces/{namespace}/grants"
	add(s, operation{method: http.MethodGet, path: one, id: "list-grants", tag: "repositories", summary: "List who was given a role on a repository",
		about: "Owners, and grants on the whole namespace, come on top."}, s.listGrants)
	add(s, operation{method: http.MethodPut, path: one + "/{kind}/{grantee}", id: "set-grant", tag: "repositories", summary: "Give a role on a repository"}, s.setGrant)
	add(s, operation{method: http.MethodDelete, path: one + "/{kind}/{grantee}", id: "remove-grant", tag: "repositories", summary: "Take a role on a repository back"}, s.removeGrant)
	add(s, operation{method: http.MethodGet, path: all, id: "list-namespace-grants", tag: "namespaces", summary: "List who was given a role on all of a namespace"}, s.listNamespaceGrants)
	add(s, operation{method: http.MethodPut, path: all + "/{kind}/{grantee}", id: "set-namespace-grant", tag: "namespaces",
		summary: "Give a role on all of a namespace", about: "On what it has and will have; write and admin also create repositories."}, s.setNamespaceGrant)
	add(s, operation{method: http.MethodDelete, path: all + "/{kind}/{grantee}", id: "remove-namespace-grant", tag: "namespaces", summary: "Take a role on all of a namespace back"}, s.removeNamespaceGrant)
}

func (s *API) grantsOn(ctx context.Context, namespace, repository string) (*list[grantView], error) {
	grants, err := s.Accounts.Grants(ctx, namespace, repository)
	if err != nil {
		return nil, err
	}
	views := make([]grantView, len(grants))
	for i, g := range grants {
		views[i] = grantView{g.GranteeKind, g.GranteeName, g.Role}
	}
	return wholeList(views), nil
}

func (s *API) listGrants(ctx context.Context, c *call, _ *RepositoryPath) (*list[grantView], error) {
	return s.grantsOn(ctx, c.repo.Namespace, c.repo.ID)
}

func (s *API) listNamespaceGrants(ctx context.Context, c *call, _ *NamespacePath) (*list[grantView], error) {
	return s.grantsOn(ctx, c.namespace.ID, "")
}

func (s *API) setGrant(ctx context.Context, c *call, in *setGrantIn) (*written, error) {
	return s.give(ctx, c, c.repo.ID, in.GranteePath, in.Body.Role)
}

func (s *API) setNamespaceGrant(ctx context.Context, c *call, in *setNamespaceGrantIn) (*written, error) {
	return s.give(ctx, c, "", in.GranteePath, in.Body.Role)
}

func (s *API) give(ctx context.Context, c *call, repository string, to GranteePath, role string) (*written, error) {
	id, err := s.grantee(ctx, c.namespace, to)
	if err != nil {
		return nil, err
	}
	seq, err := account.GiveGrant(ctx, s.Log, by(c.p), events.GrantGiven{Namespace: c.namespace.ID, Repository: repository,
		Grantee: id, GranteeKind: to.Kind, Role: role})
	return s.done(ctx, seq, err)
}

func (s *API) removeGrant(ctx context.Context, c *call, in *removeGrantIn) (*written, error) {
	return s.withdraw(ctx, c, c.repo.ID, in.GranteePath)
}

func (s *API) removeNamespaceGrant(ctx context.Context, c *call, in *removeNamespaceGrantIn) (*written, error) {
	return s.withdraw(ctx, c, "", in.GranteePath)
}

func (s *API) withdraw(ctx context.Context, c *call, repository string, of GranteePath) (*written, error) {
	id, err := s.grantee(ctx, c.namespace, of)
	if err != nil {
		return nil, err
	}
	seq, err := account.WithdrawGrant(ctx, s.Log, by(c.p), events.GrantWithdrawn{Namespace: c.namespace.ID, Repository: repository,
		Grantee: id, GranteeKind: of.Kind})
	return s.done(ctx, seq, err)
}

// grantee is the id of whom the path names: any user, but only the namespace's
// own teams and robot accounts.
func (s *API) grantee(ctx context.Context, ns *accounts.Namespace, g GranteePath) (string, error) {
	var id string
	var err error
	switch g.Kind {
	case events.GranteeUser:
		a, err := s.member(ctx, "path.grantee", g.Grantee)
		if err != nil {
			return "", err
		}
		return a.ID, nil
	case events.GranteeTeam:
		var t *accounts.Team
		if t, err = s.Accounts.Team(ctx, ns.ID, g.Grantee); err == nil {
			id = t.ID
		}
	default:
		var a *accounts.Account
		if a, err = s.Accounts.Account(ctx, ns.Name+"+"+strings.TrimPrefix(g.Grantee, ns.Name+"+")); err == nil {
			id = a.ID
		}
	}
	if errors.Is(err, accounts.ErrNotFound) {
		return "", invalid("path.grantee", "the namespace has no "+g.Kind+" of that name")
	}
	return id, err
}

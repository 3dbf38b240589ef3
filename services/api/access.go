package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/api/people"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/asof"
	past "hubledger/services/internal/asof/people"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type listAccessIn struct {
	openapi.RepositoryPath
	openapi.Paging
	people.AsOf
}

type showAccessIn struct {
	openapi.RepositoryPath
	Account string `path:"account" maxLength:"81" doc:"Login name of a user or a robot account"`
	people.AsOf
}

func (s *API) registerAccess() {
	const path = repositoryPath + "/access"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-access", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Heavy,
		Summary: "List who may do what with a repository, and why", About: "Owners of the namespace, and accounts with a role of their own or by a team, by name. Administrators of the hub may do everything, and are listed only if they are among these."}, s.listAccess)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path + "/{account}", ID: "show-access", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Read,
		Summary: "Show what an account may do with a repository, and why"}, s.showAccess)
}

func (s *API) listAccess(ctx context.Context, c *endpoint.Call, in *listAccessIn) (*openapi.List[apitypes.Access], error) {
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	r, done, err := s.rightsAt(ctx, c, in.AsOf, "")
	if err != nil {
		return nil, err
	}
	defer done()
	names, err := r.holders(ctx, c.Namespace, c.Repository.ID)
	if err != nil {
		return nil, err
	}
	var views []apitypes.Access
	for _, name := range names {
		if name <= last || len(views) > in.Limit {
			continue
		}
		v, err := r.accessOf(ctx, c, name)
		if errors.Is(err, accounts.ErrNotFound) {
			continue // it went since the names were read
		}
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.Access) string { return openapi.CursorAt(v.Name) }), nil
}

func (s *API) showAccess(ctx context.Context, c *endpoint.Call, in *showAccessIn) (*openapi.Answer[apitypes.Access], error) {
	r, done, err := s.rightsAt(ctx, c, in.AsOf, in.Account)
	if err != nil {
		return nil, err
	}
	defer done()
	v, err := r.accessOf(ctx, c, in.Account)
	if errors.Is(err, accounts.ErrNotFound) {
		return nil, endpoint.Fail(http.StatusNotFound, "there is no user or robot account of that name").Because(err)
	}
	return openapi.Show(v), err
}

// rightsThen is who has which rights, now or at an earlier time.
type rightsThen struct {
	read   accounts.Reader
	rights interface {
		Explain(ctx context.Context, a *accounts.Account, name string) (access.Level, []access.Reason, error)
	}
}

// rightsAt are the rights as of a time, of who has some and of one account; done has to be
// called.
func (s *API) rightsAt(ctx context.Context, c *endpoint.Call, when people.AsOf, who string) (r rightsThen, done func(), err error) {
	if when.When == "" {
		return rightsThen{s.Accounts, s.Rights}, func() {}, nil
	}
	var also []string
	if a, err := s.Accounts.Account(ctx, who); err == nil && a.Kind == accounts.KindUser {
		also = append(also, a.ID)
	}
	then, err := s.Past.At(ctx, c.Namespace, when.When, also...)
	if err != nil {
		return r, nil, endpoint.Located(err, "query.as_of", asof.ErrPoint, asof.ErrFuture, past.ErrTooMany)
	}
	return rightsThen{then.Reader, access.New(access.Config{Read: then.Reader, View: then, Log: then, Logger: s.Logger})}, func() { then.Close() }, nil
}

// holders are the login names of those who own a namespace or have a role on the
// repository, in order.
func (s rightsThen) holders(ctx context.Context, ns *accounts.Namespace, repository string) ([]string, error) {
	names := map[string]bool{}
	members := func(group, role string) error {
		list, err := s.read.Members(ctx, group)
		for _, m := range list {
			names[m.Name] = names[m.Name] || role == "" || m.Role == role
		}
		return err
	}
	var err error
	switch ns.Kind {
	case events.KindOrganization:
		err = members(ns.ID, events.RoleOwner)
	case events.KindUser:
		names[ns.Name] = true
	}
	if err != nil {
		return nil, err
	}
	for _, on := range []string{repository, ""} {
		grants, err := s.read.Grants(ctx, ns.ID, on)
		if err != nil {
			return nil, err
		}
		for _, g := range grants {
			if g.GranteeKind != events.GranteeTeam {
				names[g.GranteeName] = true
			} else if err := members(g.Grantee, ""); err != nil {
				return nil, err
			}
		}
	}
	maps.DeleteFunc(names, func(_ string, holds bool) bool { return !holds })
	return slices.Sorted(maps.Keys(names)), nil
}

// accessOf says what the account of that name may do with the call's repository.
func (s rightsThen) accessOf(ctx context.Context, c *endpoint.Call, name string) (apitypes.Access, error) {
	a, err := s.read.Account(ctx, name)
	if err == nil && a.Kind == accounts.KindOrganization {
		err = accounts.ErrNotFound
	}
	if err != nil {
		return apitypes.Access{}, err
	}
	level, reasons, err := s.rights.Explain(ctx, a, c.Repository.Name)
	v := apitypes.Access{Name: a.Name, Kind: a.Kind, Level: level.Name(), Reasons: make([]apitypes.AccessReason, len(reasons))}
	for i, r := range reasons {
		v.Reasons[i] = apitypes.AccessReason{Why: r.Why, Level: r.Level.Name(), Role: r.Role, Team: r.Team, Wide: r.Wide}
		if r.Given.Seq > 0 {
			v.Reasons[i].Given = &apitypes.Given{By: r.Given.By, Since: r.Given.At, Seq: r.Given.Seq}
		}
	}
	switch {
	case a.Erased:
		v.Blocked = "erased"
	case a.Disabled:
		v.Blocked = "disabled"
	}
	return v, err
}

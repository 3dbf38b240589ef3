package api

import (
	"context"
	"net/http"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/asof"
	past "hubledger/services/internal/asof/people"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type accessChangesIn struct {
	NamespacePath
	Since string `query:"since" required:"true" maxLength:"40" doc:"A time such as 2026-11-01T12:00:00Z, or the sequence of an event such as s12345"`
	Until string `query:"until" maxLength:"40" doc:"Likewise; absent for now"`
}

func (s *API) registerAccessChanges() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/namespaces/{namespace}/access-changes", ID: "list-access-changes", Tag: "namespaces", Permission: access.NamespaceAdmin, Cost: budget.Heavy,
		Summary: "List how the rights in a namespace differ from those at an earlier time", About: "Members, teams, robot accounts, grants, the visibility of repositories, and the state of accounts that have rights in it. " +
			"Rights that were given and withdrawn in between are not listed."}, s.listAccessChanges)
}

func (s *API) listAccessChanges(ctx context.Context, c *endpoint.Call, in *accessChangesIn) (*openapi.List[apitypes.AccessChange], error) {
	before, err := s.Past.At(ctx, c.Namespace, in.Since)
	if err != nil {
		return nil, endpoint.Located(err, "query.since", asof.ErrPoint, asof.ErrFuture, past.ErrTooMany)
	}
	defer before.Close()
	var after *past.Then
	if in.Until == "" {
		after, err = s.Past.Now(ctx, c.Namespace)
	} else {
		after, err = s.Past.At(ctx, c.Namespace, in.Until)
	}
	if err != nil {
		return nil, endpoint.Located(err, "query.until", asof.ErrPoint, asof.ErrFuture, past.ErrTooMany)
	}
	defer after.Close()
	list, err := past.Diff(ctx, c.Namespace, before, after)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.AccessChange, len(list))
	for k, one := range list {
		views[k] = apitypes.AccessChange{Kind: one.Kind, Who: one.Who, On: one.On, Was: one.Was, Is: one.Is}
		if one.Given.Seq > 0 && !one.Given.At.IsZero() {
			views[k].Given = &apitypes.Given{By: one.Given.By, Since: one.Given.At, Seq: one.Given.Seq}
		}
	}
	return openapi.WholeList(views), nil
}

package api

import (
	"context"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

func (s *API) listNamespaces(ctx context.Context, c *endpoint.Call, in *openapi.Paging) (*openapi.List[apitypes.Namespace], error) {
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	if c.Principal.Scoped() {
		return openapi.WholeList[apitypes.Namespace](nil), nil
	}
	list := s.Accounts.Namespaces
	if !c.Principal.Admin {
		list = func(ctx context.Context, last string, n int) ([]accounts.Namespace, error) {
			return s.Accounts.NamespacesOf(ctx, c.Principal.ID, last, n)
		}
	}
	var views []apitypes.Namespace
	for len(views) <= in.Limit {
		found, err := list(ctx, last, in.Limit+1)
		if err != nil {
			return nil, err
		}
		for _, ns := range found {
			last = ns.Name
			level, _, err := s.Rights.Namespace(ctx, c.Principal, ns.Name)
			if err != nil {
				return nil, err
			}
			if level > access.None {
				views = append(views, apitypes.Namespace{Name: ns.Name, Kind: ns.Kind, Level: level.Name()})
			}
		}
		if len(found) <= in.Limit {
			break
		}
	}
	views = views[:min(len(views), in.Limit+1)]
	return openapi.Page(c, views, in.Limit, func(v apitypes.Namespace) string { return openapi.CursorAt(v.Name) }), nil
}

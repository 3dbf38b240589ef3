package api

import (
	"context"
	"errors"
	"slices"
	"strings"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

func (s *API) listNamespaces(ctx context.Context, c *endpoint.Call, in *openapi.Paging) (*openapi.List[apitypes.Namespace], error) {
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	var found []accounts.Namespace
	if c.Principal.Admin {
		found, err = s.Accounts.Namespaces(ctx, last, in.Limit+1)
	} else {
		found, err = s.namespacesOf(ctx, c.Principal, last)
	}
	if err != nil {
		return nil, err
	}
	var views []apitypes.Namespace
	for _, ns := range found {
		level, _, err := s.Rights.Namespace(ctx, c.Principal, ns.Name)
		if err != nil {
			return nil, err
		}
		if level > access.None {
			views = append(views, apitypes.Namespace{Name: ns.Name, Kind: ns.Kind, Level: level.Name()})
		}
		if len(views) > in.Limit {
			break
		}
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.Namespace) string { return openapi.CursorAt(v.Name) }), nil
}

// namespacesOf lists by name, behind last, the namespaces that an account is part
// of: its own, those of its organizations, and those on all of which it has a
// grant.
func (s *API) namespacesOf(ctx context.Context, p access.Principal, last string) ([]accounts.Namespace, error) {
	seen, err := s.Rights.Visible(ctx, p)
	if err != nil {
		return nil, err
	}
	mine, err := account.OrganizationsOf(ctx, s.Accounts, p)
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(seen.Namespaces)
	for _, m := range mine {
		ids = append(ids, m.Organization)
	}
	slices.Sort(ids)
	var list []accounts.Namespace
	for _, id := range slices.Compact(ids) {
		ns, err := s.Accounts.NamespaceByID(ctx, id)
		if err != nil && !errors.Is(err, accounts.ErrNotFound) {
			return nil, err
		}
		if err == nil && ns.Name > last {
			list = append(list, *ns)
		}
	}
	slices.SortFunc(list, func(a, b accounts.Namespace) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

package api

import (
	"context"
	"slices"
	"strings"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
)

func (s *API) listNamespaces(ctx context.Context, c *call, in *Paging) (*list[namespaceView], error) {
	last, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	var found []accounts.Namespace
	if c.p.Admin {
		found, err = s.Accounts.Namespaces(ctx, last, in.Limit+1)
	} else {
		found, err = s.namespacesOf(ctx, c.p, last)
	}
	if err != nil {
		return nil, err
	}
	var views []namespaceView
	for _, ns := range found {
		level, _, err := s.Rights.Namespace(ctx, c.p, ns.Name)
		if err != nil {
			return nil, err
		}
		if level > access.None {
			views = append(views, namespaceView{ns.Name, ns.Kind, levelName(level)})
		}
		if len(views) > in.Limit {
			break
		}
	}
	return pageOf(c, views, in.Limit, func(v namespaceView) string { return cursorAt(v.Name) }), nil
}

// namespacesOf lists by name, behind last, the namespaces that an account may
// have a part in: its own, those of its organizations, and those that were
// granted to it as a whole.
func (s *API) namespacesOf(ctx context.Context, p access.Principal, last string) ([]accounts.Namespace, error) {
	seen, err := s.Rights.Visible(ctx, p)
	if err != nil {
		return nil, err
	}
	mine, err := s.organizationsOf(ctx, p)
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
		if ignoreMissing(err) != nil {
			return nil, err
		}
		if err == nil && ns.Name > last {
			list = append(list, *ns)
		}
	}
	slices.SortFunc(list, func(a, b accounts.Namespace) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

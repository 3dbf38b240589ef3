package api

import (
	"context"
	"net/http"
	"strconv"

	"hubledger/projections/catalog"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

func shownEntry(e catalog.Entry) apitypes.Repository {
	v := apitypes.Repository{ID: e.ID, Name: e.Name, Description: e.Description, Topics: e.Topics, Visibility: e.Visibility,
		Stars: e.Stars, Pulls: e.Pulls, Created: e.Created, Pushed: apitypes.Known(e.Pushed), Pulled: apitypes.Known(e.Pulled)}
	if v.Topics == nil {
		v.Topics = []string{}
	}
	return v
}

func shownEntries(list []catalog.Entry) []apitypes.Repository {
	out := make([]apitypes.Repository, len(list))
	for i, e := range list {
		out[i] = shownEntry(e)
	}
	return out
}

type listRepositoriesIn struct {
	openapi.Paging
	Namespace string `query:"namespace" maxLength:"200" doc:"Only those of this namespace"`
}

type searchIn struct {
	openapi.Paging
	Q     string `query:"q" maxLength:"200" doc:"Words, or parts of a name; without it the most liked come first"`
	Topic string `query:"topic" maxLength:"40" doc:"Only those with this topic"`
	Sort  string `query:"sort" enum:"stars,updated,name" doc:"Order when there is no q"`
}

func (s *API) registerRepositoryLists() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/repositories", ID: "list-repositories", Tag: "repositories", Permission: access.Anyone, Cost: budget.Search,
		Summary: "List the repositories that I may see", About: "By name. Without a namespace the list ends after a thousand: search instead."}, s.listRepositories)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/search", ID: "search", Tag: "search", Permission: access.Anyone, Cost: budget.Search,
		Summary: "Find repositories", About: "Searches names, descriptions and topics, best match first; tolerates typing errors and finds parts of names. At most 1,000 results."}, s.search)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/starred", ID: "list-starred", Tag: "repositories", Permission: access.SignedIn, Cost: budget.List,
		Summary: "List the repositories that you have starred"}, s.listStarred)
}

func (s *API) listRepositories(ctx context.Context, c *endpoint.Call, in *listRepositoriesIn) (*openapi.List[apitypes.Repository], error) {
	if in.Namespace == "" {
		return s.searchPage(ctx, c, in.Paging, catalog.Query{Sort: catalog.ByName})
	}
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	entries, err := s.browse.OfNamespace(ctx, c.Principal, in.Namespace, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return openapi.Page(c, shownEntries(entries), in.Limit, func(v apitypes.Repository) string { return openapi.CursorAt(v.Name) }), nil
}

func (s *API) search(ctx context.Context, c *endpoint.Call, in *searchIn) (*openapi.List[apitypes.Repository], error) {
	return s.searchPage(ctx, c, in.Paging, catalog.Query{Text: in.Q, Topic: in.Topic, Sort: catalog.Sort(in.Sort)})
}

func (s *API) searchPage(ctx context.Context, c *endpoint.Call, page openapi.Paging, q catalog.Query) (*openapi.List[apitypes.Repository], error) {
	var err error
	if q.Offset, err = openapi.ParseOffset(page.Cursor); err != nil {
		return nil, err
	}
	q.Limit = min(page.Limit, catalog.MaxWindow-q.Offset)
	entries, total, err := s.browse.Search(ctx, c.Principal, q)
	if err != nil {
		return nil, err
	}
	out := openapi.WholeList(shownEntries(entries))
	if end := q.Offset + len(entries); end < min(total, catalog.MaxWindow) && len(entries) > 0 {
		out.Continue(c, openapi.CursorAt(strconv.Itoa(end)))
	}
	return out, nil
}

func (s *API) listStarred(ctx context.Context, c *endpoint.Call, in *openapi.Paging) (*openapi.List[apitypes.Repository], error) {
	if c.Principal.Kind != access.User {
		return openapi.WholeList[apitypes.Repository](nil), nil // only users have stars to give
	}
	offset, err := openapi.ParseOffset(in.Cursor)
	if err != nil {
		return nil, err
	}
	v, err := s.browse.Visible(ctx, c.Principal)
	if err != nil {
		return nil, err
	}
	entries, err := s.Catalog.Starred(ctx, c.Principal.ID, v, offset, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return openapi.Page(c, shownEntries(entries), in.Limit, func(apitypes.Repository) string { return openapi.CursorAt(strconv.Itoa(offset + in.Limit)) }), nil
}

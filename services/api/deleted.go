package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
)

type listDeletedIn struct {
	NamespacePath
	openapi.Paging
}

type restoreRepositoryIn struct {
	NamespacePath
	ID string `path:"id" format:"uuid" doc:"From the list of the deleted"`
}

func (s *API) registerDeleted() {
	const path = "/namespaces/{namespace}/deleted"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/deleted", ID: "list-all-deleted", Tag: "namespaces", Permission: access.HubAdmin, Cost: budget.Search,
		Summary: "List the deleted repositories of the whole hub", About: "Lists those that can be restored, most recently deleted first."}, s.listAllDeleted)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-deleted", Tag: "namespaces", Permission: access.NamespaceAdmin, Cost: budget.Search,
		Summary: "List deleted repositories of a namespace", About: "Lists those that can be restored, most recently deleted first."}, s.listDeleted)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: path + "/{id}/restore", ID: "restore-repository", Tag: "namespaces", Permission: access.NamespaceAdmin, Cost: budget.Write, Summary: "Undo the deletion of a repository"}, s.restoreRepository)
}

func (s *API) listAllDeleted(ctx context.Context, c *endpoint.Call, in *openapi.Paging) (*openapi.List[apitypes.Deleted], error) {
	return s.deletedPage(ctx, c, "", *in)
}

func (s *API) listDeleted(ctx context.Context, c *endpoint.Call, in *listDeletedIn) (*openapi.List[apitypes.Deleted], error) {
	return s.deletedPage(ctx, c, c.Namespace.ID, in.Paging)
}

// deletedPage lists the repositories that can be restored, of one namespace or,
// with "", of all.
func (s *API) deletedPage(ctx context.Context, c *endpoint.Call, namespace string, page openapi.Paging) (*openapi.List[apitypes.Deleted], error) {
	last, err := parseDeleted(page.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Images.DeletedPage(ctx, namespace, time.Now().Add(-s.UndeleteWindow), last, page.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Deleted, len(all))
	for i, d := range all {
		views[i] = apitypes.Deleted{ID: d.ID, Name: d.Name, Deleted: d.Deleted, Until: d.Deleted.Add(s.UndeleteWindow)}
	}
	return openapi.Page(c, views, page.Limit, func(v apitypes.Deleted) string { return openapi.CursorAt(fmt.Sprint(v.Deleted.UnixMicro(), " ", v.ID)) }), nil
}

// parseDeleted reads the cursor of a list by time and id.
func parseDeleted(cursor string) (last images.DeletedRepository, err error) {
	place, err := openapi.ParseCursor(cursor)
	if err != nil || place == "" {
		return last, err
	}
	micro, id, _ := strings.Cut(place, " ")
	at, err := strconv.ParseInt(micro, 10, 64)
	if err != nil || at <= 0 || uuid.Validate(id) != nil {
		return last, openapi.BadCursor()
	}
	return images.DeletedRepository{ID: id, Deleted: time.UnixMicro(at)}, nil
}

func (s *API) restoreRepository(ctx context.Context, c *endpoint.Call, in *restoreRepositoryIn) (*openapi.Change, error) {
	name, err := repository.DeletedName(ctx, s.Images, c.Namespace.ID, in.ID)
	if err != nil {
		return nil, err
	}
	seq, err := s.Registry.RestoreRepository(ctx, c.By(), name, in.ID)
	return s.Changed(ctx, seq, err)
}

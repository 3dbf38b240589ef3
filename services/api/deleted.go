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
)

type deletedView struct {
	ID      string    `json:"id" format:"uuid" doc:"What it is restored by"`
	Name    string    `json:"name" doc:"Full name that it had"`
	Deleted time.Time `json:"deleted" doc:"When it was deleted"`
	Until   time.Time `json:"restorableUntil" doc:"Afterwards its content may be gone"`
}

type listDeletedIn struct {
	NamespacePath
	Paging
}

type restoreRepositoryIn struct {
	NamespacePath
	ID string `path:"id" format:"uuid" doc:"From the list of the deleted"`
}

func (s *API) registerDeleted() {
	const path = "/namespaces/{namespace}/deleted"
	add(s, operation{method: http.MethodGet, path: "/deleted", id: "list-all-deleted", tag: "namespaces",
		summary: "List the deleted repositories of the whole hub", about: "Those that can be restored, the one deleted last first."}, s.listAllDeleted)
	add(s, operation{method: http.MethodGet, path: path, id: "list-deleted", tag: "namespaces",
		summary: "List deleted repositories of a namespace", about: "Those that can be restored, the one deleted last first."}, s.listDeleted)
	add(s, operation{method: http.MethodPost, path: path + "/{id}/restore", id: "restore-repository", tag: "namespaces", summary: "Undo the deletion of a repository"}, s.restoreRepository)
}

func (s *API) listAllDeleted(ctx context.Context, c *call, in *Paging) (*list[deletedView], error) {
	return s.deletedPage(ctx, c, "", *in)
}

func (s *API) listDeleted(ctx context.Context, c *call, in *listDeletedIn) (*list[deletedView], error) {
	return s.deletedPage(ctx, c, c.namespace.ID, in.Paging)
}

// deletedPage lists what can come back, of one namespace or of all.
func (s *API) deletedPage(ctx context.Context, c *call, namespace string, page Paging) (*list[deletedView], error) {
	last, err := parseDeleted(page.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Images.DeletedPage(ctx, namespace, time.Now().Add(-s.UndeleteWindow), last, page.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]deletedView, len(all))
	for i, d := range all {
		views[i] = deletedView{d.ID, d.Name, d.Deleted, d.Deleted.Add(s.UndeleteWindow)}
	}
	return pageOf(c, views, page.Limit, func(v deletedView) string { return cursorAt(fmt.Sprint(v.Deleted.UnixMicro(), " ", v.ID)) }), nil
}

// parseDeleted reads the cursor of a list by time and id.
func parseDeleted(cursor string) (last images.DeletedRepository, err error) {
	place, err := parseCursor(cursor)
	if err != nil || place == "" {
		return last, err
	}
	micro, id, _ := strings.Cut(place, " ")
	at, err := strconv.ParseInt(micro, 10, 64)
	if err != nil || at <= 0 || uuid.Validate(id) != nil {
		return last, badCursor()
	}
	return images.DeletedRepository{ID: id, Deleted: time.UnixMicro(at)}, nil
}

func (s *API) restoreRepository(ctx context.Context, c *call, in *restoreRepositoryIn) (*written, error) {
	ns, err := s.Images.NamespaceOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if ns != c.namespace.ID {
		return nil, notFound()
	}
	name, err := s.Images.RepositoryName(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	seq, err := s.Registry.RestoreRepository(ctx, by(c.p), name, in.ID)
	return s.done(ctx, seq, err)
}

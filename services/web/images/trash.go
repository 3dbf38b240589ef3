package images

import (
	"fmt"
	"net/http"
	"slices"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type trashPage struct {
	Repository apitypes.RepositoryDetails
	apitypes.List[apitypes.Trashed]
}

func showTrash(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	list, err := frame.Get[apitypes.List[apitypes.Trashed]](v, frame.Path("repositories", v.Repo(), "trash"), v.Paged())
	return trashPage{r, list}, err
}

// Restorable says whether one of the page can be restored.
func (p trashPage) Restorable() bool {
	return slices.ContainsFunc(p.Items, func(d apitypes.Trashed) bool { return d.Fate.State == "deleted" })
}

// restore undoes the deletion of images and tags, until one is refused. Images come first:
// tags need theirs.
func restore(v *frame.Visit) (string, error) {
	var last uint64
	var done []string
	images, tags := v.Sent["image"], v.Sent["tag"]
	if n := len(images) + len(tags); n == 0 || n > maxDeleted {
		return "", endpoint.Fail(http.StatusUnprocessableEntity, fmt.Sprintf("select 1 to %d of those that can be restored", maxDeleted))
	}
	for k, name := range slices.Concat(images, tags) {
		what := "manifests"
		if k >= len(images) {
			what = "tags"
		}
		seq, err := v.Send(http.MethodPost, frame.Path("repositories", v.Repo(), what, name, "restore"), nil, nil)
		if frame.Missing(err) {
			err = endpoint.Fail(http.StatusConflict, "nothing of that name was deleted")
		}
		if err != nil {
			return "", behind("restored", done, name, err)
		}
		last, done = seq, append(done, name)
	}
	return frame.Done(frame.RepoPage(v.Repo())+"/-/trash", last, nil)
}

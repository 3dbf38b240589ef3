package images

import (
	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type untaggedPage struct {
	Repository apitypes.RepositoryDetails
	Images     []apitypes.UntaggedManifest
	Next       string
}

func showUntagged(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	q := v.Paged()
	list, err := frame.Get[apitypes.List[apitypes.UntaggedManifest]](v, frame.Path("repositories", v.Repo(), "untagged"), q)
	return untaggedPage{r, list.Items, list.Next}, err
}

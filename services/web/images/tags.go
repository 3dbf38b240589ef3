package images

import (
	"fmt"
	"net/http"
	"net/url"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type tagsPage struct {
	Repository apitypes.RepositoryDetails
	Tags       []apitypes.Tag
	Next       string
}

func showTags(v *frame.Visit) (any, error) {
	r, err := repository(v)
	if err != nil {
		return nil, err
	}
	q := url.Values{"limit": {"50"}}
	if cursor := v.Query("cursor"); cursor != "" {
		q.Set("cursor", cursor)
	}
	tags, err := frame.Get[apitypes.List[apitypes.Tag]](v, frame.Path("repositories", v.Repo(), "tags"), q)
	return tagsPage{r, tags.Items, tags.Next}, err
}

type tagPage struct {
	Repository apitypes.RepositoryDetails
	Tag        apitypes.Tag
}

func showTag(v *frame.Visit) (any, error) {
	r, err := repository(v)
	if err != nil {
		return nil, err
	}
	tag, err := frame.Get[apitypes.Tag](v, frame.Path("repositories", v.Repo(), "tags", v.Path("tag")), nil)
	return tagPage{r, tag}, err
}

func deleteTag(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("repositories", v.Repo(), "tags", v.Path("tag")), nil, nil)
	return fmt.Sprintf("%s/-/tags?done=%d", frame.RepoPage(v.Repo()), seq), err
}

func restoreTag(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodPost, frame.Path("repositories", v.Repo(), "tags", v.Path("tag"), "restore"), nil, nil)
	return fmt.Sprintf("%s/-/tags?done=%d", frame.RepoPage(v.Repo()), seq), err
}

package images

import (
	"net/http"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type activityPage struct {
	Repository apitypes.RepositoryDetails
	Activity   []happened
	Next       string
}

// A happened is one thing that happened to a repository.
type happened struct{ apitypes.Activity }

// Tag is the tag that it is about, "" for none.
func (h happened) Tag() string {
	if h.Digest() != "" {
		return ""
	}
	return h.What
}

// Digest is that of the manifest that it is about, "" for none.
func (h happened) Digest() string {
	if strings.HasPrefix(h.What, "sha256:") || strings.HasPrefix(h.What, "sha512:") {
		return h.What
	}
	return ""
}

// Verb says what happened, such as "image pushed".
func (h happened) Verb() string { return strings.NewReplacer(".", " ", "_", " ").Replace(h.Kind) }

func showActivity(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	q := v.Paged()
	list, err := frame.Get[apitypes.List[apitypes.Activity]](v, frame.Path("repositories", v.Repo(), "activity"), q)
	p := activityPage{Repository: r, Next: list.Next}
	for _, a := range list.Items {
		p.Activity = append(p.Activity, happened{a})
	}
	return p, err
}

func star(v *frame.Visit) (string, error)   { return setStar(v, http.MethodPut) }
func unstar(v *frame.Visit) (string, error) { return setStar(v, http.MethodDelete) }

func setStar(v *frame.Visit, method string) (string, error) {
	_, err := v.Send(method, frame.Path("repositories", v.Repo(), "star"), nil, nil)
	return frame.RepoPage(v.Repo()), err
}

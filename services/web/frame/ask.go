package frame

import (
	"errors"
	"net/http"
	"net/url"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
)

// Repository is what the head of every page of a repository shows: the one of the page's
// address.
func Repository(v *Visit) (apitypes.RepositoryDetails, error) {
	return Get[apitypes.RepositoryDetails](v, Path("repositories", v.Repo()), nil)
}

// Asked are those values of the page's query that are set.
func (v *Visit) Asked(names ...string) url.Values {
	q := url.Values{}
	for _, name := range names {
		if value := v.Query(name); value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// Paged asks for a page of 50 of a list of the API, at the cursor of the address.
func (v *Visit) Paged() url.Values {
	q := v.Asked("cursor")
	q.Set("limit", "50")
	return q
}

// Freed is what deleting tags of the repository of the page's address, or all of it, frees;
// nil where the hub cannot work that out now, such as when it is busy.
func Freed(v *Visit, want apitypes.DeletionPreviewRequest) (*apitypes.DeletionPreview, error) {
	var p apitypes.DeletionPreview
	_, err := v.Send(http.MethodPost, Path("repositories", v.Repo(), "deletion-preview"), want, &p)
	switch {
	case err == nil:
		return &p, nil
	case Busy(err):
		return nil, nil
	}
	return nil, err
}

// Busy says that the API does not work something out now, of which a page can do without.
func Busy(err error) bool {
	var p *endpoint.Problem
	return errors.As(err, &p) && (Refused(err) != "" || p.Status == http.StatusServiceUnavailable)
}

// Missing says whether the API has no such thing for the visitor.
func Missing(err error) bool {
	var p *endpoint.Problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}

// Refused is why the API refused something that the visitor asked for, "" when it did not:
// for a page that says so in one of its parts.
func Refused(err error) string {
	var p *endpoint.Problem
	if !errors.As(err, &p) || p.Status >= 500 || p.Status == http.StatusNotFound || p.Status == http.StatusUnauthorized {
		return ""
	}
	if len(p.Errors) > 0 {
		return p.Errors[0].Message
	}
	return p.Detail
}

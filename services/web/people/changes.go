package people

import (
	"errors"
	"net/http"
	"net/url"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type changesPage struct {
	Head  *namespaceHead
	Asked bool // the page says what has changed since a time
	List  []apitypes.AccessChange
}

// showChanges shows in what the rights in a namespace differ between two times, or asks for these.
func showChanges(v *frame.Visit) (any, error) {
	p := changesPage{}
	var err error
	if p.Head, err = head(v, "access"); err != nil || v.Query("since") == "" {
		return p, err
	}
	q := url.Values{"since": {frame.Point(v.Query("since"))}}
	if until := v.Query("until"); until != "" {
		q.Set("until", frame.Point(until))
	}
	list, err := frame.Get[apitypes.List[apitypes.AccessChange]](v, frame.Path("namespaces", p.Head.Name, "access-changes"), q)
	var wrong *endpoint.Problem
	if errors.As(err, &wrong) && wrong.Status == http.StatusUnprocessableEntity {
		v.Problem = wrong // at the fields of the form
		return p, nil
	}
	p.Asked, p.List = err == nil, list.Items
	return p, err
}

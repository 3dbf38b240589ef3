package web

import (
	"net/url"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

func showCatalog(v *frame.Visit) (any, error) {
	q := url.Values{}
	for _, name := range []string{"q", "topic", "sort", "cursor"} {
		if value := v.Query(name); value != "" {
			q.Set(name, value)
		}
	}
	if q.Get("q") != "" {
		q.Del("sort") // the best match comes first
	}
	return frame.Get[apitypes.List[apitypes.Repository]](v, "/search", q)
}

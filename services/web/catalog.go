package web

import (
	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

func showCatalog(v *frame.Visit) (any, error) {
	q := v.Asked("q", "topic", "sort", "cursor")
	if q.Get("q") != "" {
		q.Del("sort") // the best match comes first
	}
	return frame.Get[apitypes.List[apitypes.Repository]](v, "/search", q)
}

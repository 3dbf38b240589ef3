package images

import (
	"net/url"
	"strconv"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/eventquery"
	"hubledger/services/web/frame"
)

// A tagHistory is what happened to a tag, the latest first, and the address of all of it.
type tagHistory struct {
	Events []apitypes.Event
	All    string
}

// history finds the events of a tag by one of them: they are of one aggregate.
func history(v *frame.Visit, seq uint64) (h tagHistory, err error) {
	one, err := frame.Get[apitypes.FullEvent](v, frame.Path("events", strconv.FormatUint(seq, 10)), nil)
	if err != nil {
		return h, err
	}
	q := eventquery.Query{Terms: []eventquery.Term{{Name: "aggregate", Value: one.Subject}}}.String()
	page, err := frame.Get[apitypes.EventPage](v, "/events", url.Values{"q": {q}, "limit": {"10"}})
	h.Events = page.Items
	if page.Next != "" {
		h.All = "/events?q=" + url.QueryEscape(q)
	}
	return h, err
}

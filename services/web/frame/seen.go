package frame

import (
	"net/http"
	"strconv"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
)

// Forms that change what somebody else may change at the same time send the sequence of what
// their page has shown, as the field seq. Where it is another one by now the API refuses the
// change; the page is shown again with what was sent, beside what is there now, and
// with the sequence of that: whoever saves then has seen it.

// Seen is what the field seq of a form has, where the page shows what event now has made.
func (v *Visit) Seen(now uint64) string {
	if v.stale() {
		return strconv.FormatUint(now, 10)
	}
	return v.Value("seq", strconv.FormatUint(now, 10))
}

// SeenSeq is what a form has sent as its field seq, nil for nothing.
func (v *Visit) SeenSeq() *uint64 {
	if seq, err := strconv.ParseUint(v.Sent.Get("seq"), 10, 64); err == nil {
		return &seq
	}
	return nil
}

// stale says that the form was refused because somebody else was faster.
func (v *Visit) stale() bool {
	return v.Problem != nil && v.Problem.Status == http.StatusConflict && len(v.Problem.Errors) == 1 && v.Problem.Errors[0].Location == endpoint.SeenField
}

// Faster is the event of who was faster than the form, nil when nobody was. Where it cannot be
// read it is nil, too: the problem says in a line who it was.
func (v *Visit) Faster() *apitypes.FullEvent {
	if !v.stale() {
		return nil
	}
	seq, _ := v.Problem.Errors[0].Value.(float64)
	e, err := Get[apitypes.FullEvent](v, Path("events", strconv.FormatFloat(seq, 'f', 0, 64)), nil)
	if err != nil {
		return nil
	}
	return &e
}

// Now is what a field has by now, where that is not what the form has sent and somebody else
// was faster; else "".
func (v *Visit) Now(field, now string) string {
	if v.stale() && v.Sent.Has(field) && v.Sent.Get(field) != now {
		if now == "" {
			return "nothing"
		}
		return now
	}
	return ""
}

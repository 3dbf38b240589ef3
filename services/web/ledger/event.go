package ledger

import (
	"bytes"
	"encoding/json"
	"slices"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

// maxCauses bounds how far back a chain is followed on one page.
const maxCauses = 20

type eventPage struct {
	Event  apitypes.FullEvent
	Causes []apitypes.Event // from the first one down to that of this event
	Cut    bool             // there are more before them
	Data   string           // indented
}

func showEvent(v *frame.Visit) (any, error) {
	e, err := frame.Get[apitypes.FullEvent](v, frame.Path("events", v.Path("event")), nil)
	if err != nil {
		return nil, err
	}
	p := eventPage{Event: e}
	for cause := e.CausedBy; cause != nil; {
		if len(p.Causes) == maxCauses {
			p.Cut = true
			break
		}
		p.Causes = append(p.Causes, *cause)
		full, err := frame.Get[apitypes.FullEvent](v, frame.Path("events", cause.ID), nil)
		if err != nil {
			return nil, err
		}
		cause = full.CausedBy
	}
	slices.Reverse(p.Causes)
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, e.Data, "", "  "); err != nil {
		return nil, err
	}
	p.Data = pretty.String()
	return p, nil
}

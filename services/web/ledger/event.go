package ledger

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type eventPage struct {
	Event apitypes.FullEvent
	Why   apitypes.Why
	Data  string // indented
}

// maxSteps bounds how much of a chain one page shows.
const maxSteps = 100

// Cut says whether the chain has more steps than are shown.
func (p *eventPage) Cut() bool { return p.Why.More || len(p.Why.Steps) > maxSteps }

// Steps are those of the chain that are shown.
func (p *eventPage) Steps() []apitypes.WhyStep { return p.Why.Steps[:min(len(p.Why.Steps), maxSteps)] }

func showEvent(v *frame.Visit) (any, error) {
	e, err := frame.Get[apitypes.FullEvent](v, frame.Path("events", v.Path("event")), nil)
	if err != nil {
		return nil, err
	}
	p := &eventPage{Event: e}
	if p.Why, err = frame.Get[apitypes.Why](v, "/why", url.Values{"of": {strconv.FormatUint(e.Seq, 10)}}); err != nil {
		return nil, err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, e.Data, "", "  "); err != nil {
		return nil, err
	}
	p.Data = pretty.String()
	return p, nil
}

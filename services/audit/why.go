package audit

import (
	"context"
	"errors"
	"net/http"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/openapi"
)

type whyIn struct {
	Of string `query:"of" required:"true" minLength:"1" maxLength:"500" doc:"Sequence or id of an event, id of a build or a deployment, id or name of a container, a digest or its first 12 digits, NAME@DIGEST, or NAME:TAG" example:"team/app:1.0"`
}

func (a *Audit) why(ctx context.Context, c *endpoint.Call, in *whyIn) (*openapi.Answer[apitypes.Why], error) {
	ref, err := a.Log.Find(ctx, c.Principal, in.Of)
	var chain *eventlog.Chain
	if err == nil {
		chain, err = a.Log.Why(ctx, c.Principal, ref)
	}
	if errors.Is(err, eventlog.ErrUnknown) {
		return nil, endpoint.Fail(http.StatusNotFound, "nothing of that name is in the log, or you may not read it").Because(err)
	}
	if err != nil {
		return nil, err
	}
	out := apitypes.Why{Steps: make([]apitypes.WhyStep, len(chain.Steps)), More: chain.More}
	for k, s := range chain.Steps {
		step := apitypes.WhyStep{Depth: s.Depth, Asked: s.Asked}
		if s.Event != nil {
			e := shownEvent(s.Event)
			step.Event = &e
		}
		out.Steps[k] = step
	}
	return openapi.Show(out), nil
}

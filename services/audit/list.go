package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/eventquery"
	"hubledger/services/internal/openapi"
)

const filterAbout = "You see the events of what you may read; see docs/log.md. The filter `q` has qualifiers, such as " +
	"`actor:alice repo:team/app type:image.pushed -type:image.tagged since:2h`: type, aggregate, repo, namespace, actor, digest, commit, correlation, cause, since, before. " +
	"Values of one qualifier are alternatives, different qualifiers must all match, and a minus excludes. " +
	"A page that has looked through many events without being full says how far it has looked, and where to go on."

// A Filter is what the operations on the log accept.
type Filter struct {
	Q string `query:"q" maxLength:"2000" doc:"Which events: qualifiers such as actor:alice repo:team/app type:image.pushed since:2h"`
}

func (f *Filter) parse() (eventquery.Query, error) {
	q, err := eventquery.Parse(f.Q)
	var wrong *eventquery.Error
	if errors.As(err, &wrong) {
		return q, endpoint.Invalid("query.q", wrong.Error())
	}
	return q, err
}

type listIn struct {
	Filter
	openapi.Paging
	Order string `query:"order" enum:"newest,oldest" default:"newest" doc:"Which events come first"`
	After uint64 `query:"after" maximum:"9007199254740991" doc:"Begin behind this sequence, in that order; a cursor counts before it"`
}

type listOut struct {
	Link string `header:"Link" doc:"Address of the next page, rel=\"next\""`
	Body apitypes.EventPage
}

func (a *Audit) list(ctx context.Context, c *endpoint.Call, in *listIn) (*listOut, error) {
	q, err := in.parse()
	if err != nil {
		return nil, err
	}
	behind, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := a.Log.Page(ctx, c.Principal, q, eventlog.Options{Behind: cmp.Or(behind, in.After), OldestFirst: in.Order == "oldest", Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listOut{Body: apitypes.EventPage{Items: shownEvents(page.Events), Scanned: page.Scanned, Query: q.String()}}
	if page.Next > 0 {
		out.Body.Next, out.Link = openapi.Next(c, openapi.CursorAtSequence(page.Next))
	}
	return out, nil
}

func shownEvents(list []eventlog.Event) []apitypes.Event {
	views := make([]apitypes.Event, len(list))
	for k := range list {
		views[k] = shownEvent(&list[k])
	}
	return views
}

func shownEvent(e *eventlog.Event) apitypes.Event {
	v := apitypes.Event{Seq: e.Seq, ID: e.ID(), Time: e.Time(), Type: e.Type(), Actor: e.Actor(), Subject: e.Subject,
		Cause: e.Cause(), Correlation: e.Correlation(), Text: e.Sentence.String(), Parts: make([]apitypes.EventPart, len(e.Sentence))}
	for k, p := range e.Sentence {
		v.Parts[k] = apitypes.EventPart(p)
	}
	return v
}

type showIn struct {
	Event string `path:"event" maxLength:"36" doc:"Sequence or id of the event"`
}

func (a *Audit) show(ctx context.Context, c *endpoint.Call, in *showIn) (*openapi.Answer[apitypes.FullEvent], error) {
	one, err := a.Log.One(ctx, c.Principal, in.Event)
	if errors.Is(err, eventlog.ErrUnknown) {
		return nil, endpoint.Fail(http.StatusNotFound, err.Error()).Because(err)
	}
	if err != nil {
		return nil, err
	}
	v := apitypes.FullEvent{Event: shownEvent(&one.Event), Headers: map[string]string{}, Data: one.Data, Leaf: fmt.Sprintf("%x", one.Leaf),
		LedTo: shownEvents(one.Led), More: one.More}
	for _, h := range one.Attributes {
		v.Headers[h.Name] = h.Value
	}
	if !json.Valid(one.Data) { // of no service of ours
		if v.Data, err = json.Marshal(string(one.Data)); err != nil {
			return nil, err
		}
	}
	if one.Cause != nil {
		cause := shownEvent(one.Cause)
		v.CausedBy = &cause
	}
	return openapi.Show(v), nil
}

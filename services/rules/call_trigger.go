package rules

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/secret"
	"hubledger/services/internal/service"
	"hubledger/services/internal/trigger"
)

// callEvery is how long after a call the next one of a trigger is taken.
const callEvery = 5 * time.Second

// callRoute is where triggers are called, in Docker Hub's form. It is no endpoint of the
// API: callers send JSON as any type of content.
func (s *Rules) callRoute() service.Route {
	return service.Route{Method: http.MethodPost, Pattern: "/api/build/v1/source/{source}/trigger/{secret}/call", Permission: access.Open, Cost: budget.Write, Serve: s.serveCall}
}

// A called is the body of a call, all of it optional.
type called struct {
	Tag  string `json:"docker_tag"`
	Kind string `json:"source_type"` // Branch or Tag
	Name string `json:"source_name"`
}

func (s *Rules) serveCall(w http.ResponseWriter, r *http.Request) {
	answer, err := s.call(w, r)
	s.API.Accept(w, r, answer, err)
}

func (s *Rules) call(w http.ResponseWriter, r *http.Request) (*apitypes.CalledTrigger, error) {
	ctx := r.Context()
	var body called
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&body); err != nil && err != io.EOF {
		return nil, endpoint.Fail(http.StatusBadRequest, `the body has to be JSON: nothing, {"docker_tag": "…"} or {"source_type": "Branch" or "Tag", "source_name": "…"}`).Because(err)
	}
	if err := budget.Of(ctx).Work(ctx); err != nil {
		return nil, err
	}
	of := secret.Secret(r.PathValue("secret"))
	look := s.API.Look()
	t, err := trigger.Find(ctx, s.Read, r.PathValue("source"), of)
	if errors.Is(err, trigger.ErrURL) && look.Missed(ctx) {
		t, err = trigger.Find(ctx, s.Read, r.PathValue("source"), of)
	}
	if err != nil {
		return nil, err
	}
	// Also a call that asks for nothing: finding that out is most of the work.
	if after := s.calls.wait(t.ID); after > 0 {
		return nil, endpoint.Fail(http.StatusTooManyRequests, "this build trigger was called just now").RetryAfter(after)
	}
	made, err := trigger.Make(ctx, s.Log, command.By{Source: "/rules", Actor: "system"}, s.Read, t, trigger.Called{Tag: body.Tag, Kind: body.Kind, Name: body.Name})
	if err != nil {
		return nil, endpoint.Located(endpoint.Located(err, "body.source_type", trigger.ErrKind), "body.docker_tag", trigger.ErrTag)
	}
	return &apitypes.CalledTrigger{Requested: made.Requested, Waiting: made.Waiting, Seq: made.Seq}, nil
}

// calls remembers when triggers were called last.
type calls struct {
	mu   sync.Mutex
	last map[string]time.Time // by the id of the trigger
}

// wait is how long a call has to wait; 0 takes it.
func (c *calls) wait(trigger string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for id, at := range c.last {
		if now.Sub(at) >= callEvery {
			delete(c.last, id)
		}
	}
	if at, ok := c.last[trigger]; ok {
		return callEvery - now.Sub(at)
	}
	if c.last == nil {
		c.last = map[string]time.Time{}
	}
	c.last[trigger] = now
	return 0
}

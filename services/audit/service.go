// Package audit serves the log as people read it: pages of events, one event with what
// led to it, and events as they come.
package audit

import (
	"net/http"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
)

// Config is what the service needs; all fields are required.
type Config struct {
	API *openapi.API
	Log *eventlog.Reader
}

// An Audit is the service.
type Audit struct {
	Config
	followers followers
}

// New makes the service.
func New(c Config) *Audit {
	a := &Audit{Config: c}
	a.register()
	return a
}

// Service is what it hands over to the program.
func (a *Audit) Service() service.Service {
	return service.Service{Name: "audit", Routes: a.API.Routes(), NotServed: endpoint.NotServed,
		ReadModels: []*projections.Projection{&accounts.Projection, &images.Projection, &trail.Projection, &journal.Projection}}
}

func (a *Audit) register() {
	const list, tag = "/events", "events"
	a.API.AddTag(tag, "The log: what happened, by whom, and what led to it.")
	openapi.Add(a.API, openapi.Operation{Method: http.MethodGet, Path: list, ID: "list-events", Tag: tag, Permission: access.Anyone, Cost: budget.Search,
		Summary: "List events of the log, the latest first", About: filterAbout}, a.list)
	openapi.AddEvents(a.API, openapi.Operation{Method: http.MethodGet, Path: list + "/live", ID: "follow-events", Tag: tag, Permission: access.Anyone, Cost: budget.Transfer,
		Summary: "Follow the log", About: "Server-sent events: each `event` has the sequence as id. It ends after five minutes: come back with Last-Event-ID, as browsers do. " +
			"Without one it begins with what comes next. An account may follow ten times at once, and so may the strangers of one network."}, a.live)
	openapi.Add(a.API, openapi.Operation{Method: http.MethodGet, Path: list + "/{event}", ID: "get-event", Tag: tag, Permission: access.Anyone, Cost: budget.Read,
		Summary: "Show an event with its data, what led to it, and what it led to", About: "By its sequence or its id. An event that you may not read is not there."}, a.show)
}

// Package audit serves the log as people read it: pages of events, one event with what
// led to it, and events as they come. It signs the log, and proves what stands in it.
package audit

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/services/audit/tree"
	"hubledger/services/audit/witness"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
)

// Config is what the service needs; all fields but Witnesses are required.
type Config struct {
	API     *openapi.API
	Log     *eventlog.Reader
	Signing Signing
	Readers Readers
	// AsyncAPI makes the AsyncAPI document of the log.
	AsyncAPI func() ([]byte, error)
	// Witnesses are asked to cosign checkpoints; nothing waits for them.
	Witnesses []*witness.Witness
}

// An Audit is the service.
type Audit struct {
	Config
	followers   followers
	grower      *tree.Grower
	witnesses   *witnesses
	staticFails atomic.Bool
	asyncAPI    func() ([]byte, error)
}

// New makes the service.
func New(c Config) *Audit {
	a := &Audit{Config: c, grower: c.Signing.grower(), witnesses: newWitnesses(c.Witnesses), asyncAPI: sync.OnceValues(c.AsyncAPI)}
	a.register()
	a.registerReaders()
	return a
}

// Service is what it hands over to the program.
func (a *Audit) Service() service.Service {
	return service.Service{Name: "audit", Routes: append(a.API.Routes(), a.static()...), NotServed: endpoint.NotServed, Run: a.run,
		Metrics:    []prometheus.Collector{a.witnesses},
		Jobs:       []service.Job{{Name: "compare the log with what was signed", Every: compareEvery, Run: a.Compare}},
		ReadModels: []*projections.Projection{&accounts.Projection, &images.Projection, &trail.Projection, &journal.Projection, &builds.Projection}}
}

func (a *Audit) register() {
	const list, tag = "/events", "events"
	a.API.AddTag(tag, "The log: what happened, by whom, and what led to it.")
	openapi.Add(a.API, openapi.Operation{Method: http.MethodGet, Path: list, ID: "list-events", Tag: tag, Permission: access.Anyone, Cost: budget.Search,
		Summary: "List events of the log, the latest first", About: filterAbout}, a.list)
	openapi.AddEvents(a.API, openapi.Operation{Method: http.MethodGet, Path: list + "/live", ID: "follow-events", Tag: tag, Permission: access.Anyone, Cost: budget.Transfer,
		Summary: "Follow the log", About: "Server-sent events: each `event` has the sequence as id. It ends after five minutes: come back with Last-Event-ID, as browsers do. " +
			"Without one it begins with what comes next. An account may follow ten times at once, and so may the strangers of one network."}, a.live)
	openapi.AddText(a.API, "application/jsonl", openapi.Operation{Method: http.MethodGet, Path: list + "/export", ID: "export-events", Tag: tag, Permission: access.Anyone, Cost: budget.Search,
		Summary: "Export events of the log as CloudEvents, JSON Lines or CSV", About: exportAbout}, a.export)
	openapi.Add(a.API, openapi.Operation{Method: http.MethodGet, Path: list + "/{event}", ID: "get-event", Tag: tag, Permission: access.Anyone, Cost: budget.Read,
		Summary: "Show an event with its data, what led to it, and what it led to", About: "By its sequence or its id. An event that you may not read is not there."}, a.show)
	openapi.Add(a.API, openapi.Operation{Method: http.MethodGet, Path: "/why", ID: "why", Tag: tag, Permission: access.Anyone, Cost: budget.Search,
		Summary: "Show what led to something, and what it led to", About: "Of an event, a build, an image or a tag: the chain from its first cause, such as a webhook, down to all that came of it. Steps that you may not read have no event."}, a.why)
	openapi.AddText(a.API, "text/plain", openapi.Operation{Method: http.MethodGet, Path: list + "/{event}/proof", ID: "prove-event", Tag: tag, Permission: access.Anyone, Cost: budget.Search,
		Summary: "Prove that an event stands in the log", About: "A file for `hubledger verify-proof`, which needs the hub no more: the event, its place in the Merkle tree, and a signed checkpoint " +
			"(C2SP tlog-proof). 409 until the event is in a checkpoint, which takes a minute at most."}, a.prove)
	openapi.Add(a.API, openapi.Operation{Method: http.MethodGet, Path: "/checkpoint", ID: "get-checkpoint", Tag: tag, Permission: access.Open, Cost: budget.Read,
		Summary: "Show the last signed checkpoint of the log", About: "Keep it: with it anybody can prove later that the log still begins with the same events. The checkpoint alone is at /checkpoint, " +
			"the tiles of the tree are at /tile/, and the keys at " + keyPath + "."}, a.showCheckpoint)
}

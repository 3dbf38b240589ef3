// Package sources watches git repositories: which branches and tags there are, and
// when they move.
package sources

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"net/http"
	"time"

	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/operations"
	"hubledger/services/internal/process"
	"hubledger/services/internal/secret"
	"hubledger/services/internal/service"
	"hubledger/services/sources/hoststatus"
)

// source is who the service's own events say decided.
const source = "/sources"

// Config is what the service works with. All fields but Secrets and Bodies are required.
type Config struct {
	Log     command.Log
	API     *openapi.API // takes the operations
	Read    builds.Reader
	View    process.View // of the read model
	Store   *operations.Store
	Secrets Secrets    // nil while the log is read-only
	Bodies  HookBodies // nil while the log is read-only
	Git     *gitremote.Client
	Hosts   Hosts
	// URL is how people reach the hub, for those who ask on its own machine and for git hosts.
	URL string
	// Every is how often the refs of a source are looked at while they move.
	Every  time.Duration
	Logger *slog.Logger
}

// Hosts tell git hosts of builds; see hoststatus.Client.
type Hosts interface {
	Send(ctx context.Context, kind string, of gitremote.URL, with hoststatus.Token, s hoststatus.Status) error
}

// Secrets are encrypted records beside the log. The error of Get wraps
// fs.ErrNotExist when there is none.
type Secrets interface {
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Put(ctx context.Context, key string, value []byte) error
	Destroy(ctx context.Context, key string) error
	Keys(ctx context.Context, prefix string) ([]string, error)
}

// Sources is the service.
type Sources struct {
	Config
	sweeps   sweepStore
	told     toldStore
	lines    lines
	counts   counts
	refused  *refusals
	known    knownSecrets
	noSecret string // what webhooks are verified with where there is no secret
}

// New makes the service.
func New(c Config) *Sources {
	s := &Sources{Config: c, sweeps: sweepStore{c.Store}, told: toldStore{c.Store}, lines: lines{seed: maphash.MakeSeed()}, counts: newCounts(), refused: newRefusals(time.Now()), noSecret: string(secret.New())}
	s.register()
	return s
}

// Service is what it hands over to the program.
func (s *Sources) Service() service.Service {
	return service.Service{
		Name:       "sources",
		Routes:     append(s.API.Routes(), s.hookRoute()),
		NotServed:  endpoint.NotServed,
		ReadModels: []*projections.Projection{&builds.Projection},
		Managers:   []process.Manager{s.sweeper(), s.staleSecrets(), s.statuses()},
		Metrics:    s.counts.metrics(),
		Sentences:  sentences,
		Jobs:       []service.Job{{Name: "write down refused webhooks", Every: refusalsEvery, Run: s.recordRefusals}},
		Start:      s.define,
		Stop:       s.stop,
	}
}

// define prepares the tables of the service.
func (s *Sources) define(ctx context.Context) error {
	return errors.Join(s.sweeps.define(ctx), s.told.define(ctx))
}

// SourcePath names a source.
type SourcePath struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization"`
	Name      string `path:"name" maxLength:"200" doc:"The rest of the name; slashes as they are or as %2F"`
}

func (s *Sources) register() {
	const list, one = "/namespaces/{namespace}/sources", "/sources/{namespace}/{name}"
	s.API.AddTag("sources", "Git repositories that the hub watches.")
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: list, ID: "link-source", Tag: "sources", Permission: access.NamespaceAdmin, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Watch a git repository", About: "The answer has the webhook's secret and the public half of a new deploy key. The secret is not shown again."}, s.link)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: list, ID: "list-sources", Tag: "sources", Permission: access.NamespaceMember, Cost: budget.List,
		Summary: "List the git sources of a namespace"}, s.list)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: one, ID: "get-source", Tag: "sources", Permission: access.NamespaceMember, Cost: budget.Read,
		Summary: "Show a git source", About: "With its latest sweep."}, s.get)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPatch, Path: one, ID: "change-source", Tag: "sources", Permission: access.NamespaceAdmin, Cost: budget.Write,
		Summary: "Change a git source", About: "Absent fields stay as they are. If the URL has another host, the source keeps only credentials that come with this change."}, s.change)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: one, ID: "unlink-source", Tag: "sources", Permission: access.NamespaceAdmin, Cost: budget.Write,
		Summary: "Stop watching a git repository", About: "Its secrets are destroyed."}, s.unlink)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: one + "/sweep", ID: "sweep-source", Tag: "sources", Permission: access.NamespaceMember, Cost: budget.Write, Status: http.StatusAccepted,
		Summary: "Look at the refs of a git repository now", About: "The answer comes at once; the source shows when it was swept."}, s.sweepNow)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: one + "/refs", ID: "list-refs", Tag: "sources", Permission: access.NamespaceMember, Cost: budget.List,
		Summary: "List the branches and tags of a git source, or its pull requests", About: "Most recently moved first, including deleted and closed ones. Pull requests are known only while build rules test them."}, s.listRefs)
	s.registerDeliveries(one)
}

// Package builder builds: what the rules of repositories ask for is queued, given to a
// builder, built and published.
package builder

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/prometheus/client_golang/prometheus"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/builder/fetch"
	"hubledger/services/builder/provenance"
	"hubledger/services/builder/sbom"
	"hubledger/services/builder/sealedlog"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/image"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/process"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/service"
	"hubledger/services/internal/signingkey"
)

// source is who the service's own events say decided.
const source = "/builder"

// Config is what the service works with. All fields but LogTerm and those that may be nil
// are required.
type Config struct {
	Events command.Log
	API    *openapi.API // takes the operations
	Read   builds.Reader
	View   process.View // of the read model
	Images Images
	// Readmes are those of repositories.
	Readmes Readmes
	// Secrets has the key by which provenance is signed, and what builds read; nil while the log is read-only.
	Secrets signingkey.Secrets
	// URL is how people reach the hub.
	URL     string
	Log     BuildLog // nil while the log is read-only
	Archive Archive  // of the logs of builds that have ended; nil while the log is read-only
	// LogTerm is how long the archive keeps a log. 0: for ever.
	LogTerm time.Duration
	// Scanner makes the SBOMs of images whose rules want one; nil: the hub has none.
	Scanner *sbom.Scanner
	Local   *Local // the builder of this node; nil: it has none
	Logger  *slog.Logger
	// NameOf is the full name of a repository by its id, live or deleted. The error wraps
	// images.ErrNotFound.
	NameOf func(ctx context.Context, repository string) (string, error)
	// Visible says what a principal may see.
	Visible func(ctx context.Context, p access.Principal) (access.Visible, error)
	// People has the machines that may build.
	People accounts.Reader
	// Machines are the connections of machines; nil: none can connect.
	Machines Machines
	// Source says where the commit of a build is fetched from, with the credentials. The
	// error is what people are told.
	Source func(ctx context.Context, b *builds.Build) (fetch.Source, error)
	// Token is good for pulling from a repository, and for pushing to it if push is set,
	// as far as the account may, and ends then. by is the id of an access token that bounds
	// it; "" for none.
	Token func(ctx context.Context, account, by, repository string, push bool) (token string, ends time.Time, err error)
	// MayPush says whether Token would let it push now, with the same errors.
	MayPush func(ctx context.Context, account, by, repository string) (bool, error)
	// Account is the account by whose rights the builds of a repository push and pull:
	// that which has set the rules, or one that owns the namespace. The error wraps
	// ErrNoAccount when there is none.
	Account func(ctx context.Context, rules *builds.Rules) (id string, err error)
}

// ErrNoAccount: a build pulls and pushes by the rights of a user, and there is none.
var ErrNoAccount = errors.New("a build pulls and pushes by the rights of a user, and this one has none")

// Images is the registry, as far as builds need it.
type Images interface {
	// Tag lets a tag of a repository name a manifest that is there. An error is what
	// people are told, when it is an *image.ImmutableError or wraps images.ErrNotFound.
	Tag(ctx context.Context, by command.By, repository, tag string, d digest.Digest) error
	// Attach puts what the hub says of an image beside it, as a referrer, and returns the
	// digest of its manifest. The error wraps images.ErrNotFound when the image is gone.
	Attach(ctx context.Context, by command.By, repository string, of digest.Digest, a image.Artifact) (digest.Digest, error)
	// Tagged is the manifest that a tag names now, and the event that made it so. The error
	// wraps images.ErrNotFound when there is none.
	Tagged(ctx context.Context, repository, tag string) (digest.Digest, *events.Event, error)
	// ManifestBytes is a manifest of a repository. The error wraps images.ErrNotFound when
	// there is none.
	ManifestBytes(ctx context.Context, repository string, d digest.Digest) ([]byte, error)
	// Upload is the size of a blob that can be pulled from a repository, and for some hours
	// more; images.ErrNotFound.
	Upload(ctx context.Context, repository string, d digest.Digest) (int64, error)
}

// Readmes are the READMEs of repositories in the catalog.
type Readmes interface {
	Readme(ctx context.Context, repository string) (string, error)
	// SetReadme's error wraps repository.ErrUnknown when the repository was deleted.
	SetReadme(ctx context.Context, by command.By, id repository.ID, name, text string) error
}

// BuildLog keeps what builds write.
type BuildLog interface {
	Append(ctx context.Context, build string, step int, data []byte) error
	// Read returns the first chunks behind a sequence, until they have max bytes together.
	Read(ctx context.Context, build string, after uint64, max int) ([]sealedlog.Chunk, error)
	// Builds are those of which something is kept.
	Builds(ctx context.Context) ([]string, error)
	// Drop takes away what a build wrote.
	Drop(ctx context.Context, build string) error
}

// A Local builder runs builds in this process.
type Local struct {
	// Name is what it is called in the log.
	Name string
	// Offer is what it can do.
	Offer worker.Offer
	// Open makes what runs the builds, once the hub can be reached.
	Open func(ctx context.Context, hub worker.Hub) (*worker.Worker, error)
}

// Builder is the service.
type Builder struct {
	Config
	keys     *provenance.Keys
	keyFails atomic.Bool // it was written down that the key cannot be shown
	stations *stations
	counts   *counts
	tagging  sync.Mutex // held while the tags of a build are set

	imagesMoved chan struct{} // has an element when a tag may name another image
	looking     atomic.Bool   // it will have one soon
}

// New makes the service.
func New(c Config) *Builder {
	s := newBuilder(c)
	s.register()
	s.registerBuilders()
	return s
}

// newBuilder is New without the operations of the API.
func newBuilder(c Config) *Builder {
	return &Builder{Config: c, keys: provenance.NewKeys(c.Secrets), stations: newStations(), counts: newCounts(), imagesMoved: make(chan struct{}, 1)}
}

// Service is what it hands over to the program.
func (s *Builder) Service() service.Service {
	out := service.Service{
		Name: "builder",
		Routes: append(s.API.Routes(),
			service.Route{Method: http.MethodGet, Pattern: keyPath, Permission: access.Open, Cost: budget.Light, Serve: s.serveKey}),
		NotServed:  endpoint.NotServed,
		ReadModels: []*projections.Projection{&builds.Projection, &catalog.Projection, &accounts.Projection, &images.Projection},
		Managers:   []process.Manager{s.queueing(), s.publishing(), s.rebuilding(), s.closing(), s.sealing()},
		Jobs: []service.Job{{Name: "remove old logs of builds", Every: time.Hour, Run: s.forgetLogs},
			{Name: "remove what is left of sealed logs of builds", Every: time.Hour, Run: s.dropSealed}},
		Metrics:   []prometheus.Collector{queueMetrics{s}, s.counts.steps, s.counts.ended},
		Sentences: sentences,
	}
	if s.Local != nil || s.Machines != nil {
		out.Run = s.run
	}
	return out
}

// BuildPath names a build of a repository.
type BuildPath struct {
	openapi.RepositoryPath
	Build string `path:"build" maxLength:"36" doc:"Id of the build"`
}

func (s *Builder) register() {
	const list, one, tag = "/repositories/{namespace}/{name}/builds", "/repositories/{namespace}/{name}/builds/{build}", "builds"
	s.API.AddTag(tag, "What was built from git or an uploaded directory, and what waits.")
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/builds", ID: "list-all-builds", Tag: tag, Permission: access.SignedIn, Cost: budget.Search,
		Summary: "List the builds of all repositories to which the caller may push, the latest first", About: "A page may have fewer entries than the limit, or none, although there is a next page."}, s.everywhere)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/builds/{build}", ID: "find-build", Tag: tag, Permission: access.SignedIn, Cost: budget.Read,
		Summary: "Show a build by its id alone"}, s.anywhere)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: list, ID: "list-builds", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.List,
		Summary: "List the builds of a repository, the latest first"}, s.list)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: list, ID: "build-upload", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Build an uploaded directory", About: "Push it first as a blob of the repository: a tar file, optionally compressed with gzip. It is kept for a day. The build gets no secrets. " +
			"It has the rights of the account and of the access token that request it."}, s.upload)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: one, ID: "get-build", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Read,
		Summary: "Show a build with its steps", About: "A waiting build has a position and a reason."}, s.get)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: one + "/log", ID: "get-build-log", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Read,
		Summary: "Show the log of a build", About: "The log comes in pieces: ask again with the answer's next, until the build has ended and nothing more comes."}, s.log)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: one + "/log/lines", ID: "list-build-log-lines", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Search,
		Summary: "List lines of the log of a build", About: "Lists the last lines, or those before a given line; at most 1 MiB."}, s.lines)
	openapi.AddText(s.API, "text/plain", openapi.Operation{Method: http.MethodGet, Path: one + "/log/raw", ID: "get-build-log-raw", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Transfer,
		Summary: "Download the log of a build", About: "Byte for byte, up to the present."}, s.rawLog)
	openapi.AddEvents(s.API, openapi.Operation{Method: http.MethodGet, Path: one + "/log/live", ID: "follow-build-log", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Transfer,
		Summary: "Follow a build", About: "Server-sent events: `log` is a chunk of the log, with its sequence as id; `build` the build when its state or the reason why it waits " +
			"has changed; `end` the build when it has ended and all was sent: close the connection then. It ends after five minutes: come back with Last-Event-ID, as browsers do."}, s.liveLog)
	openapi.AddText(s.API, "image/svg+xml", openapi.Operation{Method: http.MethodGet, Path: "/repositories/{namespace}/{name}/badge.svg", ID: "get-build-badge", Tag: tag,
		Permission: access.RepositoryRead, Cost: budget.Read, Summary: "Show as a picture whether the latest build succeeded",
		About: "For a README: of a public repository everybody sees it."}, s.badge)
	s.API.Set.Add(service.Route{Method: http.MethodGet, Pattern: "/api/build/v1/source", Permission: access.Anyone, Cost: budget.Read, Serve: s.hubState}, endpoint.AsProblem)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: one + "/cancel", ID: "cancel-build", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Write,
		Summary: "Cancel a build", About: "It ends at once, even if a builder is running it."}, s.cancel)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: one + "/retry", ID: "retry-build", Tag: tag, Permission: access.RepositoryWrite, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Build the same commit or uploaded directory again", About: "The build must have ended. Its rule applies as it was then, even if the rules have changed since."}, s.retry)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/provenance-key", ID: "get-provenance-key", Tag: tag, Permission: access.Open, Cost: budget.Light,
		Summary: "Show the public key that verifies where images come from", About: "It is at " + keyPath + ", too."}, s.showKey)
}

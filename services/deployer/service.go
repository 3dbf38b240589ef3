// Package deployer has applications: what a namespace runs by a Compose file, in which
// environments, with what configuration, and the releases that pin all of it.
package deployer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/services/deployer/fleet"
	"hubledger/services/deployer/trackers"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/operations"
	"hubledger/services/internal/process"
	"hubledger/services/internal/service"
)

// Config is what the service works with; all fields but Allow and Secrets are required.
type Config struct {
	Log    Log
	API    *openapi.API // takes the operations
	Read   deploys.Reader
	View   View // of that read model
	Builds builds.Reader
	Images images.Reader
	Tags   Tags
	Rights Rights
	People accounts.Reader
	// Store is the operational store, which has what error trackers report.
	Store *operations.Store
	URL   string // of this hub, without a / at its end, for error trackers
	// Client sends the requests of gates, by the hub's rules for connections that people name.
	Client *http.Client
	// Generation is that of the log.
	Generation func() string
	Secrets    Secrets // nil while the log is read-only
	// Hosts are those of this hub, and ports if they need one, in the names of images.
	Hosts func() []string
	// Allow is what Compose files may have beside what every application may: of
	// compose.Allowable.
	Allow  []string
	Logger *slog.Logger
}

// Log is the log as the service needs it.
type Log interface {
	command.Log
	command.End
}

// View is the progress of the read model.
type View interface {
	process.View
	command.Follower
}

// Tags is the registry.
type Tags interface {
	// Tagged is the manifest that a tag names now, as of all that the log has. The error
	// wraps images.ErrNotFound when there is none.
	Tagged(ctx context.Context, repository, tag string) (digest.Digest, *events.Event, error)
}

// Rights says what a principal may do: access.Rights.
type Rights interface {
	Repository(ctx context.Context, p access.Principal, name string) (access.Decision, error)
	// Namespace is nil when there is none of that name.
	Namespace(ctx context.Context, p access.Principal, name string) (access.Level, *accounts.Namespace, error)
}

// Secrets are encrypted records beside the log.
type Secrets interface {
	// Get is a record and its revision.
	Get(ctx context.Context, key string) ([]byte, uint64, error)
	Put(ctx context.Context, key string, value []byte) error
	Destroy(ctx context.Context, key string) error
	Keys(ctx context.Context, prefix string) ([]string, error)
}

// Deployer is the service.
type Deployer struct {
	Config
	fleet  *fleet.Fleet
	apps   apps
	states states
	// streaks are what gates have measured, with client.
	streaks streaks
	client  *http.Client
	issues  trackers.Store
	dirty   chan struct{} // has an element when the read model has moved
	// look is what is seen of the hosts of an environment, and admit what stands against a
	// request. Tests have others.
	look  func(context.Context, deployment.State) deployment.Watch
	admit func(context.Context, deployment.State) ([]string, error)
}

// New makes the service.
func New(c Config) *Deployer {
	s := newDeployer(c)
	s.API.AddTag("applications", "What a namespace runs, by a Compose file: environments, configuration and releases.")
	s.registerOverview()
	s.registerApplications()
	s.registerEnvironments()
	s.registerReleases()
	s.registerHosts()
	s.registerDeployments()
	s.registerWebhooks()
	s.registerWhere()
	return s
}

// newDeployer is New without the API.
func newDeployer(c Config) *Deployer {
	s := &Deployer{Config: c, fleet: fleet.New(), dirty: make(chan struct{}, 1), issues: trackers.Store{Store: c.Store}}
	s.look, s.admit = s.lookAt, s.judgeRequest
	if c.Client != nil {
		client := *c.Client
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		client.Timeout = gateTimeout
		s.client = &client
	}
	return s
}

// Committed hears of commits of the read model.
func (s *Deployer) Committed(c projections.Commit) {
	if c.Events == nil || slices.ContainsFunc(c.Events, func(e events.Event) bool { return e.Type() == "application.deleted.v1" }) {
		s.fleet.ChangeAll() // no event of its environments says so
	}
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// run tells hosts that have to do something else from now on, until ctx ends.
func (s *Deployer) run(ctx context.Context) {
	var probing sync.WaitGroup
	probing.Go(func() { s.probe(ctx) })
	defer probing.Wait()
	var told map[string]uint64
	for {
		latest, err := s.Read.Latest(ctx)
		for environment, seq := range latest {
			if told != nil && told[environment] == seq {
				continue
			}
			hosts, failed := s.Read.HostsOf(ctx, environment)
			err = errors.Join(err, failed)
			s.fleet.Change(hosts...)
		}
		if err == nil {
			told = latest
		} else if ctx.Err() == nil {
			s.Logger.Warn("hosts may hear late of what they are to run", "error", err)
			s.fleet.ChangeAll()
		}
		s.fleet.Wake()
		select {
		case <-ctx.Done():
			return
		case <-s.dirty:
		}
	}
}

// Service is what it hands over to the program.
func (s *Deployer) Service() service.Service {
	return service.Service{
		Name:       "deployer",
		Routes:     append(s.API.Routes(), s.hookRoute()),
		NotServed:  endpoint.NotServed,
		ReadModels: []*projections.Projection{&deploys.Projection, &accounts.Projection, &images.Projection, &builds.Projection},
		Managers:   []process.Manager{s.staleSecrets(), s.driving(), s.pushing()},
		Start:      s.issues.Define,
		Run:        s.run,
		Sentences:  slices.Concat(sentences, deploymentSentences),
	}
}

// op declares an operation of the service.
func op(method, path, id string, need access.Permission, cost budget.Cost, summary, about string) openapi.Operation {
	o := openapi.Operation{Method: method, Path: path, ID: id, Tag: "applications", Permission: need, Cost: cost, Summary: summary, About: about}
	if method == http.MethodPost && cost == budget.Write {
		o.Status = http.StatusCreated
	}
	return o
}

// Package deployer has applications: what a namespace runs by a Compose file, in which
// environments, with what configuration, and the releases that pin all of it.
package deployer

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/process"
	"hubledger/services/internal/service"
)

// Config is what the service works with; all fields but Allow and Secrets are required.
type Config struct {
	Log     Log
	API     *openapi.API // takes the operations
	Read    deploys.Reader
	View    View // of that read model
	Builds  builds.Reader
	Images  images.Reader
	Tags    Tags
	Rights  Rights
	Secrets Secrets // nil while the log is read-only
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

// Rights says what a principal may do with a repository: access.Rights.
type Rights interface {
	Repository(ctx context.Context, p access.Principal, name string) (access.Decision, error)
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
type Deployer struct{ Config }

// New makes the service.
func New(c Config) *Deployer {
	s := &Deployer{c}
	s.API.AddTag("applications", "What a namespace runs, by a Compose file: environments, configuration and releases.")
	s.registerApplications()
	s.registerEnvironments()
	s.registerReleases()
	return s
}

// Service is what it hands over to the program.
func (s *Deployer) Service() service.Service {
	return service.Service{
		Name:       "deployer",
		Routes:     s.API.Routes(),
		NotServed:  endpoint.NotServed,
		ReadModels: []*projections.Projection{&deploys.Projection, &accounts.Projection, &images.Projection, &builds.Projection},
		Managers:   []process.Manager{s.staleSecrets()},
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

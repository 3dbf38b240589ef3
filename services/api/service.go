// Package api serves what people and scripts ask of the hub beside images:
// accounts, rights, the catalog and search. Its own API is below /api/v1 with
// an OpenAPI document; the endpoints of Docker Hub that scripts use are below
// /v2 and those of docker search below /v1. It translates: what may be decided
// is in services/internal, what it shows are read models.
package api

import (
	"log/slog"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/api/browse"
	"hubledger/services/api/dockerhub"
	"hubledger/services/api/endpoint"
	"hubledger/services/api/markdown"
	"hubledger/services/api/openapi"
	"hubledger/services/api/people"
	"hubledger/services/internal/failure"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/service"
)

// Config is what the API works with; all fields are required but those with a
// default and those that say otherwise.
type Config struct {
	// Auth finds out who makes a request. The admin socket has its own, see As.
	Auth      endpoint.Auth
	Passwords Passwords
	Tokens    people.Tokens
	Persons   people.Persons
	Rights    Rights
	Log       Log
	// ReadModels are all that a client may look at next.
	ReadModels endpoint.ReadModels
	// Accounts, Catalog and Images are the read models that are shown here.
	Accounts accounts.Reader
	Catalog  catalog.Reader
	Images   images.Reader
	// Registry deletes and brings back repositories and what they hold.
	Registry Registry
	// Conflicts are errors of the Registry that say why something cannot come
	// back. They are answered 409 with their own text.
	Conflicts []error
	Cleaner   Cleaner
	// KeptAnswers remembers answers for Idempotency-Key.
	KeptAnswers endpoint.KeptAnswers
	// Used says when a token was last used.
	Used people.Used
	// RecentPulls counts the pulls that are not in the log yet; nil when none are counted.
	RecentPulls browse.RecentPulls
	Logger      *slog.Logger
	// DefaultVisibility of a new repository when none is asked for: "public" or
	// "private". Default private.
	DefaultVisibility string
	// OnlyAdminsCreateOrganizations keeps users from making organizations.
	OnlyAdminsCreateOrganizations bool
	// Version of the program, for the OpenAPI document. Default "dev".
	Version string
	// FinishUsersAfter is people.Config's; 0 is the default.
	FinishUsersAfter time.Duration
	// UndeleteWindow is how long a deletion can be undone. Default 30 days.
	UndeleteWindow time.Duration
	// Wait bounds how long an answer waits for the read models. Default 10 s.
	Wait time.Duration
}

// An API is the service. Several may be made of the same parts, each with another
// Auth.
type API struct {
	Config
	*openapi.API
	browse   browse.Reader
	editor   repository.Editor
	markdown *markdown.Renderer
}

// New makes the service.
func New(c Config) (*API, error) {
	if c.DefaultVisibility == "" {
		c.DefaultVisibility = events.Private
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.UndeleteWindow == 0 {
		c.UndeleteWindow = 30 * 24 * time.Hour
	}
	if c.Wait == 0 {
		c.Wait = 10 * time.Second
	}
	endpoints := endpoint.New(endpoint.Config{Auth: c.Auth, Rights: c.Rights, KeptAnswers: c.KeptAnswers, ReadModels: c.ReadModels, Logger: c.Logger, Wait: c.Wait,
		Failures: conflicts(c.Conflicts)})
	s := &API{Config: c, API: openapi.New(endpoints, c.Version), markdown: markdown.New(),
		browse: browse.Reader{Rights: c.Rights, Accounts: c.Accounts, Catalog: c.Catalog, Recent: c.RecentPulls},
		editor: repository.Editor{Log: c.Log, Wait: endpoints.Readable, Catalog: c.Catalog, Images: c.Images}}
	people.Register(s.API, people.Config{Log: c.Log, Accounts: c.Accounts, Passwords: c.Passwords, Tokens: c.Tokens, Persons: c.Persons, Used: c.Used,
		OnlyAdminsCreateOrganizations: c.OnlyAdminsCreateOrganizations, FinishUsersAfter: c.FinishUsersAfter})
	s.registerRepositoryLists()
	s.registerRepository()
	s.registerReading()
	s.registerTags()
	s.registerPolicy()
	s.registerCleanup()
	s.registerGrants()
	s.registerNamespaces()
	s.registerDeleted()
	dockerhub.Register(endpoints, dockerhub.Config{Log: c.Log, Logins: c.Passwords, Rights: c.Rights, Accounts: c.Accounts, Catalog: c.Catalog, Images: c.Images,
		Repositories: c.Registry, Browse: s.browse, Editor: s.editor, DefaultVisibility: c.DefaultVisibility})
	return s, s.Document()
}

// conflicts answers errors of the registry with their own text.
func conflicts(errs []error) (list []failure.Entry) {
	for _, err := range errs {
		list = append(list, failure.Entry{Err: err, Status: http.StatusConflict})
	}
	return list
}

// Service is the service as the program runs it.
func (s *API) Service() service.Service {
	return service.Service{Name: "api", Routes: s.Routes(), NotServed: endpoint.NotServed,
		ReadModels: []*projections.Projection{&accounts.Projection, &images.Projection, &catalog.Projection}, Sentences: Sentences}
}

// Package api serves what people and scripts ask of the hub beside images:
// accounts, rights, the catalog and search. Its own API is below /api/v1 with
// an OpenAPI document; the endpoints of Docker Hub that scripts use are below
// /v2 and those of docker search below /v1. It translates: what may be decided
// is in services/internal, what it shows are read models.
package api

import (
	"context"
	"log/slog"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/api/browse"
	"hubledger/services/api/dockerhub"
	"hubledger/services/api/layerfiles"
	"hubledger/services/api/markdown"
	"hubledger/services/api/people"
	"hubledger/services/api/taglist"
	"hubledger/services/internal/asof"
	past "hubledger/services/internal/asof/people"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/service"
)

// Config is what the API works with; all fields are required but those with a
// default and those that say otherwise.
type Config struct {
	// API takes the operations, and the endpoints in Docker Hub's shapes.
	API       *openapi.API
	Passwords Passwords
	Tokens    people.Tokens
	Persons   people.Persons
	Rights    Rights
	Log       Log
	// Accounts, Catalog and Images are the read models that are shown here.
	Accounts accounts.Reader
	Catalog  catalog.Reader
	Images   images.Reader
	// Builds says which builds made images.
	Builds builds.Reader
	// TagLists are those of Images; they have to be told of its commits.
	TagLists *taglist.Keeper
	// Times finds the event that was the last of the log at some time.
	Times asof.Log
	// Past makes accounts as they were.
	Past past.Past
	// LayerFiles says which files layers have.
	LayerFiles *layerfiles.Keeper
	// Registry deletes and brings back repositories and what they hold.
	Registry Registry
	Cleaner  Cleaner
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
	// FinishUsersAfter is people.Config's; 0 is the default.
	FinishUsersAfter time.Duration
	// UndeleteWindow is how long a deletion can be undone. Default 30 days.
	UndeleteWindow time.Duration
}

// An API is the service.
type API struct {
	Config
	*openapi.API
	browse   browse.Reader
	tags     *taglist.Keeper
	editor   repository.Editor
	markdown *markdown.Renderer
}

// New makes the service.
func New(c Config) *API {
	if c.DefaultVisibility == "" {
		c.DefaultVisibility = events.Private
	}
	if c.UndeleteWindow == 0 {
		c.UndeleteWindow = 30 * 24 * time.Hour
	}
	s := &API{Config: c, API: c.API, markdown: markdown.New(), tags: c.TagLists,
		browse: browse.Reader{Rights: c.Rights, Accounts: c.Accounts, Catalog: c.Catalog, Recent: c.RecentPulls},
		editor: repository.Editor{Log: c.Log, Wait: c.API.Readable, Catalog: c.Catalog, Images: c.Images}}
	people.Register(s.API, people.Config{Log: c.Log, Accounts: c.Accounts, Passwords: c.Passwords, Factors: c.Passwords, Tokens: c.Tokens, Persons: c.Persons, Used: c.Used, Past: c.Past,
		OnlyAdminsCreateOrganizations: c.OnlyAdminsCreateOrganizations, FinishUsersAfter: c.FinishUsersAfter})
	s.registerRepositoryLists()
	s.registerRepository()
	s.registerReading()
	s.registerTags()
	s.registerPast()
	s.registerTrash()
	s.registerManifests()
	s.registerFiles()
	s.registerPolicy()
	s.registerCleanup()
	s.registerGrants()
	s.registerAccess()
	s.registerAccessChanges()
	s.registerHub()
	s.registerNamespaces()
	s.registerDeleted()
	dockerhub.Register(c.API.Set, dockerhub.Config{Log: c.Log, Logins: c.Passwords, Rights: c.Rights, Accounts: c.Accounts, Catalog: c.Catalog, Images: c.Images,
		Repositories: c.Registry, Browse: s.browse, Editor: s.editor, DefaultVisibility: c.DefaultVisibility})
	c.API.ServeDocument()
	return s
}

// Service is the service as the program runs it.
func (s *API) Service() service.Service {
	return service.Service{Name: "api", Routes: s.Routes(), NotServed: endpoint.NotServed,
		ReadModels: []*projections.Projection{&accounts.Projection, &images.Projection, &catalog.Projection, &builds.Projection}, Sentences: Sentences,
		Jobs: []service.Job{{Name: "drop what is known of the files of layers that are gone", Every: dropFilesEvery, Run: s.LayerFiles.Purge}},
		Stop: func(context.Context) error { s.LayerFiles.Close(); return nil }}
}

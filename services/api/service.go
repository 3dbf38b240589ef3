// Package api serves what people and scripts ask of the hub beside images:
// accounts, rights, the catalog and search. Its own API is below /api/v1 with
// an OpenAPI document; the endpoints of Docker Hub that scripts use are below
// /v2 and those of docker search below /v1. What it decides is an event; what
// it shows are read models.
package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/api/markdown"
)

// Config is what the hub works with; all fields are required but those with a
// default and those that say otherwise.
type Config struct {
	// Auth says who asks. The admin socket has its own, see As.
	Auth      Auth
	Passwords Passwords
	Tokens    Tokens
	Persons   Persons
	Rights    Rights
	Log       Log
	// Settle waits for the read models that are shown here.
	Settle Settler
	// Accounts, Catalog and Images are the read models.
	Accounts accounts.Reader
	Catalog  catalog.Reader
	Images   images.Reader
	// Registry deletes and brings back repositories and what they hold.
	Registry Registry
	// Refusals are errors of the Registry that say why something cannot come
	// back; they are answered 409 with their text.
	Refusals []error
	Cleaner  Cleaner
	// Answers remembers answers for Idempotency-Key.
	Answers Answers
	// Used says when a token was last used.
	Used Used
	// Recent counts the pulls that are not in the log yet; nil when nobody does.
	Recent Recent
	Logger *slog.Logger
	// DefaultVisibility of a repository that says nothing of it: "public" or
	// "private". Default private.
	DefaultVisibility string
	// OnlyAdminsCreateOrganizations keeps users from making organizations.
	OnlyAdminsCreateOrganizations bool
	// Version of the program, for the OpenAPI document. Default "dev".
	Version string
	// UndeleteWindow is how long a deletion can be undone. Default 30 days.
	UndeleteWindow time.Duration
	// Wait bounds how long an answer waits for the read models. Default 10 s.
	Wait time.Duration
}

// A Hub is the service. It may be made several times over the same parts, with
// another Auth each.
type API struct {
	Config
	mux      *http.ServeMux
	api      huma.API
	routes   []Route
	document document
	markdown *markdown.Renderer
	budget   *budget
	// organizing is held while a user makes an organization: they are counted.
	organizing chan struct{}
	// finishAfter is when nobody is still making a user who has no password.
	finishAfter time.Duration
}

// New makes a hub.
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
	s := &API{Config: c, mux: http.NewServeMux(), markdown: markdown.New(), budget: newBudget(), organizing: make(chan struct{}, 1), finishAfter: answerTime}
	s.api = s.newAPI()
	s.registerAPI()
	s.registerDocker()
	return s, s.describe()
}

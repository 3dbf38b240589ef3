// Package web is the hub's user interface in a browser: pages made by the server, complete
// without scripts. Package frame has what every page is made of; the packages below have
// the pages, by what they are about.
package web

import (
	"context"
	"embed"
	"net/http"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/service"
	"hubledger/services/internal/session"
	"hubledger/services/web/builds"
	"hubledger/services/web/deploys"
	"hubledger/services/web/frame"
	"hubledger/services/web/images"
	"hubledger/services/web/ledger"
	"hubledger/services/web/people"
	"hubledger/services/web/settings"
	"hubledger/services/web/sources"
	"hubledger/services/web/system"
)

//go:embed views
var views embed.FS

// Sessions opens the sessions of browsers; see auth.SignIn and auth.FinishSignIn.
type Sessions interface {
	SignIn(ctx context.Context, r *http.Request, name, password, browser string) (session.SignedIn, error)
	FinishSignIn(ctx context.Context, r *http.Request, half, code, browser string) (session.SignedIn, error)
}

// Config is what the pages work with; all fields are required.
type Config struct {
	frame.Config
	Sessions Sessions
}

type pages struct {
	Config
}

// New makes the service. It panics when a view cannot be read.
func New(c Config) service.Service {
	p, site := &pages{c}, frame.New(c.Config)
	site.Add(views,
		frame.Page{Pattern: "/", Permission: access.Anyone, Cost: budget.Search, View: "views/home.html", Section: "home", Show: p.home},
		frame.Page{Pattern: "/catalog", Permission: access.Anyone, Cost: budget.Search, View: "views/catalog.html", Section: "catalog", Show: showCatalog},
		frame.Page{Pattern: "/sign-in", Permission: access.Anyone, Change: access.Open, Cost: budget.Light, View: "views/sign_in.html", Section: "sign-in",
			Do: map[string]frame.Do{"sign-in": p.signIn}},
		frame.Page{Pattern: "/sign-in/code", Permission: access.Anyone, Change: access.Open, Cost: budget.Light, View: "views/sign_in_code.html", Section: "sign-in",
			Show: showCode, Do: map[string]frame.Do{"code": p.giveCode}},
		frame.Page{Pattern: "/sign-out", Permission: access.SignedIn, Cost: budget.Light, View: "views/sign_out.html", Section: "account",
			Do: map[string]frame.Do{"sign-out": signOut}},
		frame.Page{Pattern: "/keys", Permission: access.Anyone, Cost: budget.Light, View: "views/keys.html", Section: "keys"},
		frame.Page{Pattern: "/find", Permission: access.Anyone, Cost: budget.Search, View: "views/found.html", Section: "catalog", Show: p.find},
	)
	images.Add(site)
	builds.Add(site)
	deploys.Add(site)
	sources.Add(site)
	ledger.Add(site)
	system.Add(site)
	people.Add(site)
	settings.Add(site)
	return service.Service{Name: "web", Routes: site.Routes(), NotServed: site.NotServed}
}

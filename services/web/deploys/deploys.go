// Package deploys has the pages of applications: what runs where, deployments, releases, and how
// environments are set.
package deploys

import (
	"embed"
	"net/url"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/web/frame"
)

//go:embed views
var views embed.FS

// Add adds the pages to a site.
func Add(site *frame.Site) {
	const app, env, section = "/apps/{namespace}/{app}", "/apps/{namespace}/{app}/{environment}", "apps"
	site.Add(views,
		frame.Page{Pattern: "/apps", Permission: access.SignedIn, Cost: budget.Search, View: "views/apps.html", Section: section, Show: showAll},
		frame.Page{Pattern: "/n/{namespace}/apps", Permission: access.NamespaceMember, Cost: budget.Search, View: "views/namespace.html", Section: section, Show: showNamespace},
		frame.Page{Pattern: app, Permission: access.NamespaceMember, Cost: budget.Search, View: "views/app.html", Section: section, Show: showApp},
		frame.Page{Pattern: app + "/-/releases", Permission: access.NamespaceMember, Cost: budget.List, View: "views/releases.html", Section: section, Show: showReleases},
		frame.Page{Pattern: app + "/-/releases/{release}", Permission: access.NamespaceMember, Cost: budget.Heavy, View: "views/release.html", Section: section, Show: showRelease},
		frame.Page{Pattern: app + "/-/deployments", Permission: access.NamespaceMember, Cost: budget.Search, View: "views/deployments.html", Section: section, Show: showDeployments},
		frame.Page{Pattern: app + "/-/deployments/{deployment}", Permission: access.NamespaceMember, Cost: budget.Search, View: "views/deployment.html", Section: section, Show: showDeployment},
		frame.Page{Pattern: env, Permission: access.NamespaceMember, Cost: budget.Search, View: "views/environment.html", Section: section, Show: showEnvironment},
	)
}

// api is an address of the application in the API.
func api(v *frame.Visit, more ...string) string {
	return frame.Path(append([]string{"apps", v.Path("namespace"), v.Path("app")}, more...)...)
}

// envAPI is an address of the environment of the page's address in the API.
func envAPI(v *frame.Visit, more ...string) string {
	return api(v, append([]string{"environments", v.Path("environment")}, more...)...)
}

type listPage struct {
	Apps []apitypes.Application
	Next string
	Open []apitypes.OpenDeployment // those that need the visitor
}

func showAll(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Application]](v, "/apps", listed(v))
	return listPage{Apps: list.Items, Next: list.Next}, err
}

func showNamespace(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Application]](v, frame.Path("apps", v.Path("namespace")), listed(v))
	return listPage{Apps: list.Items, Next: list.Next}, err
}

// listed asks for a page of a list of applications.
func listed(v *frame.Visit) url.Values {
	q := v.Asked("cursor")
	q.Set("limit", "30")
	return q
}

type appPage struct {
	App      apitypes.Application
	Releases []apitypes.Release
}

func showApp(v *frame.Visit) (any, error) {
	a, err := frame.Get[apitypes.Application](v, api(v), nil)
	if err != nil {
		return nil, err
	}
	releases, err := frame.Get[apitypes.List[apitypes.Release]](v, api(v, "releases"), url.Values{"limit": {"5"}})
	return appPage{a, releases.Items}, err
}

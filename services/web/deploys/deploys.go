// Package deploys has the pages of applications: what runs where, deployments, releases, and how
// environments are set.
package deploys

import (
	"embed"
	"net/http"
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
		frame.Page{Pattern: "/n/{namespace}/apps/new", Permission: access.NamespaceAdmin, Cost: budget.Light, View: "views/new_app.html", Section: section, Show: showNewApp,
			Do: map[string]frame.Do{"create": createApp, "check": checkCompose}},
		frame.Page{Pattern: app + "/-/settings", Permission: access.NamespaceAdmin, Cost: budget.Search, View: "views/app_settings.html", Section: section, Show: showAppSettings,
			Do: map[string]frame.Do{"compose": changeApp, "check": checkCompose, "keep": changeApp, "environment": addEnvironment}},
		frame.Page{Pattern: app + "/-/delete", Permission: access.NamespaceAdmin, Cost: budget.Search, View: "views/delete_app.html", Section: section, Show: showAppSettings,
			Do: map[string]frame.Do{"delete": deleteApp}},
		frame.Page{Pattern: app, Permission: access.NamespaceMember, Cost: budget.Search, View: "views/app.html", Section: section, Show: showApp},
		frame.Page{Pattern: app + "/-/releases", Permission: access.NamespaceMember, Cost: budget.List, View: "views/releases.html", Section: section, Show: showReleases},
		frame.Page{Pattern: app + "/-/releases/{release}", Permission: access.NamespaceMember, Cost: budget.Heavy, View: "views/release.html", Section: section, Show: showRelease},
		frame.Page{Pattern: app + "/-/deployments", Permission: access.NamespaceMember, Cost: budget.Search, View: "views/deployments.html", Section: section, Show: showDeployments},
		frame.Page{Pattern: app + "/-/deployments/{deployment}", Permission: access.NamespaceMember, Cost: budget.Search, View: "views/deployment.html", Section: section, Show: showDeployment},
		frame.Page{Pattern: env, Permission: access.NamespaceMember, Cost: budget.Search, View: "views/environment.html", Section: section, Show: showEnvironment,
			Do: map[string]frame.Do{"release": makeRelease}},
		frame.Page{Pattern: env + "/deploy", Permission: access.NamespaceWriter, Cost: budget.Heavy, View: "views/deploy.html", Section: section, Show: showDeploy,
			Do: map[string]frame.Do{"deploy": deploy}},
		frame.Page{Pattern: env + "/promote", Permission: access.NamespaceWriter, Cost: budget.Heavy, View: "views/promote.html", Section: section, Show: showPromote,
			Do: map[string]frame.Do{"promote": decide("promote")}},
		frame.Page{Pattern: env + "/back", Permission: access.NamespaceWriter, Cost: budget.Search, View: "views/back.html", Section: section, Show: showDecision,
			Do: map[string]frame.Do{"rollback": decide("rollback"), "cancel": decide("cancel")}},
		frame.Page{Pattern: env + "/exclude", Permission: access.NamespaceWriter, Cost: budget.Search, View: "views/exclude.html", Section: section, Show: showExclude,
			Do: map[string]frame.Do{"exclude": exclude}},
		frame.Page{Pattern: env + "/gates/{gate}", Permission: access.NamespaceWriter, Cost: budget.Search, View: "views/gate.html", Section: section, Show: showGate,
			Do: map[string]frame.Do{"judge": judgeGate}},
		frame.Page{Pattern: env + "/config", Permission: access.NamespaceAdmin, Cost: budget.Search, View: "views/config.html", Section: section, Show: showConfig,
			Do: map[string]frame.Do{"set": setKey("config"), "secret": setKey("secrets")}},
		frame.Page{Pattern: env + "/config/{key}/remove", Permission: access.NamespaceAdmin, Cost: budget.Search, View: "views/remove_key.html", Section: section, Show: showRemoveKey,
			Do: map[string]frame.Do{"remove": removeKey}},
		frame.Page{Pattern: env + "/hosts", Permission: access.NamespaceAdmin, Cost: budget.List, View: "views/placement.html", Section: section, Show: showPlacement,
			Do: map[string]frame.Do{"set": setPlacement}},
		frame.Page{Pattern: env + "/policy", Permission: access.NamespaceMember, Change: access.NamespaceAdmin, Cost: budget.Read, View: "views/policy.html", Section: section, Show: showPolicy,
			Do: map[string]frame.Do{"save": savePolicy}},
		frame.Page{Pattern: env + "/policy/new-gate", Permission: access.NamespaceAdmin, Cost: budget.Search, View: "views/gate_setting.html", Section: section, Show: showNewGate,
			Do: map[string]frame.Do{"add": addGate}},
		frame.Page{Pattern: env + "/policy/gates/{gate}", Permission: access.NamespaceAdmin, Cost: budget.Search, View: "views/gate_setting.html", Section: section, Show: showGateSetting,
			Do: map[string]frame.Do{"save": changeGate, "remove": removeGate, "hook": hookGate, "unhook": unhookGate}},
		frame.Page{Pattern: env + "/delete", Permission: access.NamespaceAdmin, Cost: budget.Search, View: "views/delete_environment.html", Section: section, Show: showDeleteEnvironment,
			Do: map[string]frame.Do{"delete": deleteEnvironment}},
		frame.Page{Pattern: env + "/containers", Permission: access.NamespaceWriter, Cost: budget.Search, View: "views/containers.html", Section: section, Show: showContainers},
		frame.Page{Pattern: env + "/containers/{container}", Permission: access.NamespaceWriter, Cost: budget.Transfer, View: "views/container.html", Section: section, Show: showContainer},
		frame.Page{Pattern: "/n/{namespace}/hosts", Permission: access.NamespaceMember, Cost: budget.List, View: "views/namespace_hosts.html", Section: section, Show: showNamespaceHosts},
		frame.Page{Pattern: "/hosts", Permission: access.HubAdmin, Cost: budget.List, View: "views/hosts.html", Section: "system", Show: showHosts,
			Do: map[string]frame.Do{"invite": inviteHost}},
		frame.Page{Pattern: "/hosts/{host}", Permission: access.HubAdmin, Cost: budget.Search, View: "views/host.html", Section: "system", Show: showHost},
		frame.Page{Pattern: "/hosts/{host}/revoke", Permission: access.HubAdmin, Cost: budget.List, View: "views/revoke_host.html", Section: "system", Show: showRevokeHost,
			Do: map[string]frame.Do{"revoke": revokeHost}},
	)
}

// fullName is that of the application of the page's address.
func fullName(v *frame.Visit) string { return v.Path("namespace") + "/" + v.Path("app") }

// api is an address of the application in the API.
func api(v *frame.Visit, more ...string) string {
	return frame.Path(append([]string{"apps", v.Path("namespace"), v.Path("app")}, more...)...)
}

// envAPI is an address of the environment of the page's address in the API.
func envAPI(v *frame.Visit, more ...string) string {
	return api(v, append([]string{"environments", v.Path("environment")}, more...)...)
}

// envPage is the address of the page of that environment.
func envPage(v *frame.Visit) string { return frame.AppPage(fullName(v), v.Path("environment")) }

type listPage struct {
	Apps []apitypes.Application
	Next string
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

// post sends a change of the application.
func post(v *frame.Visit, body, out any, to ...string) (uint64, error) {
	return v.Send(http.MethodPost, api(v, to...), body, out)
}

// Package builds has the pages of builds, build rules and builders.
package builds

import (
	"embed"
	"net/url"
	"slices"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/web/frame"
)

//go:embed views
var views embed.FS

// Add adds the pages to a site.
func Add(site *frame.Site) {
	const repo = "/r/{namespace}/{name...}/-"
	site.Add(views,
		frame.Page{Pattern: "/builds", Permission: access.SignedIn, Cost: budget.Search, View: "views/builds.html", Section: "builds", Show: showBuilds},
		frame.Page{Pattern: "/builds/{build}", Permission: access.SignedIn, Cost: budget.Search, View: "views/build.html", Section: "builds", Show: showBuild,
			Do: map[string]frame.Do{"retry": retryBuild}},
		frame.Page{Pattern: "/builds/{build}/cancel", Permission: access.SignedIn, Cost: budget.Read, View: "views/cancel.html", Section: "builds", Show: showCancel,
			Do: map[string]frame.Do{"cancel": cancelBuild}},
		frame.Page{Pattern: repo + "/builds", Permission: access.RepositoryWrite, Cost: budget.List, View: "views/repository.html", Section: "catalog", Show: showRepository},
		frame.Page{Pattern: repo + "/builds/new", Permission: access.RepositoryWrite, Cost: budget.Read, View: "views/upload.html", Section: "catalog", Show: showUpload, Upload: true,
			Do: map[string]frame.Do{"build": buildUpload}},
		frame.Page{Pattern: repo + "/pushes", Permission: access.RepositoryWrite, Cost: budget.List, View: "views/pushes.html", Section: "catalog", Show: showPushes},
		frame.Page{Pattern: repo + "/rules", Permission: access.RepositoryWrite, Cost: budget.Read, View: "views/rules.html", Section: "catalog", Show: showRules,
			Do: map[string]frame.Do{"save": saveRules, "simulate": simulateRules, "import": importRules}},
		frame.Page{Pattern: repo + "/rules/end", Permission: access.RepositoryAdmin, Cost: budget.Read, View: "views/end.html", Section: "catalog", Show: showEnd,
			Do: map[string]frame.Do{"end": endRules}},
		frame.Page{Pattern: repo + "/triggers", Permission: access.RepositoryAdmin, Cost: budget.Read, View: "views/triggers.html", Section: "catalog", Show: showTriggers,
			Do: map[string]frame.Do{"create": createTrigger}},
		frame.Page{Pattern: repo + "/triggers/{trigger}/delete", Permission: access.RepositoryAdmin, Cost: budget.Read, View: "views/trigger.html", Section: "catalog", Show: showTrigger,
			Do: map[string]frame.Do{"delete": deleteTrigger}},
		frame.Page{Pattern: repo + "/build-secrets", Permission: access.RepositoryAdmin, Cost: budget.Read, View: "views/secrets.html", Section: "catalog", Show: showSecrets,
			Do: map[string]frame.Do{"set": setSecret}},
		frame.Page{Pattern: repo + "/build-secrets/{secret}/delete", Permission: access.RepositoryAdmin, Cost: budget.Read, View: "views/secret.html", Section: "catalog", Show: showSecret,
			Do: map[string]frame.Do{"delete": deleteSecret}},
		frame.Page{Pattern: "/builders", Permission: access.HubAdmin, Cost: budget.List, View: "views/builders.html", Section: "system", Show: showBuilders,
			Do: map[string]frame.Do{"invite": inviteBuilder}},
		frame.Page{Pattern: "/builders/{builder}/revoke", Permission: access.HubAdmin, Cost: budget.List, View: "views/revoke.html", Section: "system", Show: showBuilder,
			Do: map[string]frame.Do{"revoke": revokeBuilder}},
	)
}

// states are the values of the filter of lists of builds.
var states = []string{"", "waiting", "running", "succeeded", "failed", "cancelled", "superseded", "lost"}

type buildsPage struct {
	Builds []apitypes.Build
	Next   string
	States []string
}

func showBuilds(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Build]](v, "/builds", v.Asked("state", "repository", "cursor"))
	goOn(v, list.Items)
	return buildsPage{list.Items, list.Next, states}, err
}

type repositoryPage struct {
	Repository apitypes.RepositoryDetails
	Rules      apitypes.Rules
	Source     string // address of the page of the rules' git source
	Builds     []apitypes.Build
	Next       string
}

// sourcePage is the address of the page of a git source, "" for one that the visitor may
// not see: who may push to a repository need not be of the source's namespace.
func sourcePage(v *frame.Visit, name string) string {
	if name == "" {
		return ""
	}
	if _, err := frame.Get[apitypes.Source](v, frame.Path("sources", name), nil); err != nil {
		return ""
	}
	return (&url.URL{Path: "/sources/" + name}).EscapedPath()
}

func showRepository(v *frame.Visit) (any, error) {
	p := repositoryPage{}
	var err error
	if p.Repository, err = frame.Repository(v); err != nil {
		return nil, err
	}
	if p.Rules, err = frame.Get[apitypes.Rules](v, frame.Path("repositories", v.Repo(), "rules"), nil); err != nil {
		return nil, err
	}
	p.Source = sourcePage(v, p.Rules.Source)
	list, err := frame.Get[apitypes.List[apitypes.Build]](v, frame.Path("repositories", v.Repo(), "builds"), v.Asked("cursor"))
	p.Builds, p.Next = list.Items, list.Next
	goOn(v, p.Builds)
	return p, err
}

// goOn has a page taken anew while one of its builds goes on.
func goOn(v *frame.Visit, list []apitypes.Build) {
	if slices.ContainsFunc(list, func(b apitypes.Build) bool { return b.State != "ended" }) {
		v.Again(5)
	}
}

// Package settings has the pages by which repositories are made, described, opened and
// closed, given to others, and deleted.
package settings

import (
	"embed"

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
		frame.Page{Pattern: "/new", Permission: access.SignedIn, Cost: budget.List, View: "views/new.html", Section: "catalog", Show: showNew,
			Do: map[string]frame.Do{"create": create}},
		frame.Page{Pattern: repo + "/settings", Permission: access.RepositoryAdmin, Change: access.RepositoryAdmin, Cost: budget.Search, View: "views/settings.html", Section: "catalog", Show: showSettings,
			Do: map[string]frame.Do{"describe": describe, "readme": saveReadme, "preview": previewReadme, "policy": setPolicy}},
		frame.Page{Pattern: repo + "/visibility", Permission: access.RepositoryAdmin, Change: access.RepositoryAdmin, Cost: budget.Read, View: "views/visibility.html", Section: "catalog", Show: showRepository,
			Do: map[string]frame.Do{"visibility": setVisibility}},
		frame.Page{Pattern: repo + "/delete", Permission: access.RepositoryAdmin, Change: access.RepositoryAdmin, Cost: budget.Read, View: "views/delete.html", Section: "catalog", Show: showDelete,
			Do: map[string]frame.Do{"delete": deleteRepository}},
		frame.Page{Pattern: repo + "/access", Permission: access.RepositoryAdmin, Change: access.RepositoryAdmin, Cost: budget.Heavy, View: "views/access.html", Section: "catalog", Past: true, Show: showAccess,
			Do: map[string]frame.Do{"give": giveRole, "withdraw": withdrawRole}},
	)
}

type repositoryPage struct {
	Repository apitypes.RepositoryDetails
}

func showRepository(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	return repositoryPage{r}, err
}

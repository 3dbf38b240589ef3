// Package images has the pages of repositories, their tags and their images.
package images

import (
	"embed"
	"fmt"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/web/frame"
)

//go:embed views
var views embed.FS

// Add adds the pages to a site.
func Add(site *frame.Site) {
	const repo = "/r/{namespace}/{name...}"
	site.Add(views,
		frame.Page{Pattern: repo, Permission: access.RepositoryRead, Cost: budget.Read, View: "views/readme.html", Section: "catalog", Show: showReadme},
		frame.Page{Pattern: repo + "/-/tags", Permission: access.RepositoryRead, Cost: budget.List, View: "views/tags.html", Section: "catalog", Show: showTags},
		frame.Page{Pattern: repo + "/-/tags/{tag}", Permission: access.RepositoryRead, Change: access.RepositoryDelete, Cost: budget.Read, View: "views/tag.html", Section: "catalog", Show: showTag,
			Do: map[string]frame.Do{"delete": deleteTag}},
		frame.Page{Pattern: repo + "/-/images/{digest}", Permission: access.RepositoryRead, Cost: budget.List, View: "views/image.html", Section: "catalog", Show: showImage},
	)
}

// repository is what the head of every page of a repository shows.
func repository(v *frame.Visit) (apitypes.RepositoryDetails, error) {
	return frame.Get[apitypes.RepositoryDetails](v, frame.Path("repositories", v.Repo()), nil)
}

// done is the address of a page of the repository that says what was done by the event
// of that sequence.
func done(v *frame.Visit, page string, seq uint64) string {
	return fmt.Sprintf("%s%s?done=%d", frame.RepoPage(v.Repo()), page, seq)
}

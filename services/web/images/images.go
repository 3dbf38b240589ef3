// Package images has the pages of repositories, their tags and their images.
package images

import (
	"embed"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/web/frame"
)

//go:embed views
var views embed.FS

// Add adds the pages to a site.
func Add(site *frame.Site) {
	const repo = "/r/{namespace}/{name...}"
	site.Add(views,
		frame.Page{Pattern: repo, Permission: access.RepositoryRead, Change: access.RepositoryRead, Cost: budget.Search, View: "views/readme.html", Section: "catalog", Show: showReadme,
			Do: map[string]frame.Do{"star": star, "unstar": unstar}},
		frame.Page{Pattern: repo + "/-/activity", Permission: access.RepositoryRead, Cost: budget.Read, View: "views/activity.html", Section: "catalog", Show: showActivity},
		frame.Page{Pattern: repo + "/-/tags", Permission: access.RepositoryRead, Cost: budget.List, View: "views/tags.html", Section: "catalog", Show: showTags},
		frame.Page{Pattern: repo + "/-/tags/{tag}", Permission: access.RepositoryRead, Change: access.RepositoryDelete, Cost: budget.Search, View: "views/tag.html", Section: "catalog", Show: showTag,
			Do: map[string]frame.Do{"delete": deleteTag}},
		frame.Page{Pattern: repo + "/-/delete-tags", Permission: access.RepositoryDelete, Change: access.RepositoryDelete, Cost: budget.List, View: "views/delete_tags.html", Section: "catalog", Show: showDeleteTags,
			Do: map[string]frame.Do{"delete": deleteTags}},
		frame.Page{Pattern: repo + "/-/tags/{tag}/history", Permission: access.RepositoryRead, Cost: budget.List, View: "views/past.html", Section: "catalog", Show: showPast},
		frame.Page{Pattern: repo + "/-/tags/{tag}/rollback", Permission: access.RepositoryWrite, Change: access.RepositoryWrite, Cost: budget.List, View: "views/rollback.html", Section: "catalog", Show: showRollback,
			Do: map[string]frame.Do{"rollback": rollBack}},
		frame.Page{Pattern: repo + "/-/trash", Permission: access.RepositoryRead, Change: access.RepositoryDelete, Cost: budget.Search, View: "views/trash.html", Section: "catalog", Show: showTrash,
			Do: map[string]frame.Do{"restore": restore}},
		frame.Page{Pattern: repo + "/-/untagged", Permission: access.RepositoryRead, Cost: budget.Search, View: "views/untagged.html", Section: "catalog", Show: showUntagged},
		frame.Page{Pattern: repo + "/-/storage", Permission: access.RepositoryWrite, Change: access.RepositoryAdmin, Cost: budget.Heavy, View: "views/storage.html", Section: "catalog", Show: showStorage,
			Do: map[string]frame.Do{"preview": previewCleanup, "save": saveCleanup, "run": runCleanup}},
		frame.Page{Pattern: repo + "/-/compare", Permission: access.RepositoryRead, Cost: budget.List, View: "views/compare.html", Section: "catalog", Show: showCompare},
		frame.Page{Pattern: repo + "/-/images/{digest}", Permission: access.RepositoryRead, Change: access.RepositoryDelete, Cost: budget.List, View: "views/image.html", Section: "catalog", Show: showImage,
			Do: map[string]frame.Do{"delete": deleteImage}},
		frame.Page{Pattern: repo + "/-/layers/{digest}", Permission: access.RepositoryRead, Cost: budget.List, View: "views/layer.html", Section: "catalog", Show: showLayer},
	)
}

// Package ledger has the pages of the log: the audit log, and each event.
package ledger

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
	site.Add(views,
		frame.Page{Pattern: "/events", Permission: access.Anyone, Cost: budget.Search, View: "views/events.html", Section: "events", Show: showEvents},
		frame.Page{Pattern: "/events/{event}", Permission: access.Anyone, Cost: budget.Search, View: "views/event.html", Section: "events", Show: showEvent},
	)
}

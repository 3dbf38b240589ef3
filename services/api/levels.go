package api

import (
	"hubledger/events"
	"hubledger/services/internal/access"
)

// levelNames are the levels of tokens, by how far they go.
var levelNames = map[access.Level]string{
	access.Read: events.LevelRead, access.Write: events.LevelWrite, access.Delete: events.LevelDelete, access.Admin: events.LevelAdmin,
}

// levelName is how the API writes a level; "" for none.
func levelName(l access.Level) string { return levelNames[l] }

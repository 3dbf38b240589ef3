package sources

import (
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// sentences tell the events of git sources to people.
var sentences = []service.Sentence{
	service.Tell(func(_ service.Names, e events.SourceLinked) string {
		return "linked the git source " + e.Name + " to " + e.Settings.URL
	}),
	service.Tell(func(_ service.Names, e events.SourceChanged) string {
		return "changed the git source " + e.Name + ": " + strings.ReplaceAll(strings.Join(e.Changed, ", "), "-", " ")
	}),
	service.Tell(func(_ service.Names, e events.SourceUnlinked) string { return "unlinked the git source " + e.Name }),
	service.Tell(func(_ service.Names, e events.RefsRecorded) string {
		return fmt.Sprintf("recorded the %d refs of a git source", e.Refs)
	}),
	service.Tell(func(_ service.Names, e events.RefMoved) string { return moveText(e) }),
}

func moveText(e events.RefMoved) string {
	name := e.Kind + " " + shortRef(e.Ref)
	switch {
	case e.New == "":
		return "saw that the " + name + " was deleted"
	case e.Initial:
		return "found the " + name + " at " + shortID(e.New)
	case e.Old == "":
		return "saw the new " + name + " at " + shortID(e.New)
	}
	return "saw the " + name + " move from " + shortID(e.Old) + " to " + shortID(e.New)
}

// shortRef is a ref's name without what its kind says.
func shortRef(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
}

func shortID(id string) string { return id[:min(len(id), 8)] }

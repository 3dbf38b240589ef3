package sources

import (
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/plaintext"
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
	service.Tell(func(_ service.Names, e events.HookReceived) string { return hookText(e) }),
	service.Tell(func(_ service.Names, e events.HookRedelivered) string {
		return "received the webhook " + plaintext.Line(e.Delivery) + " again"
	}),
	service.Tell(func(_ service.Names, e events.HookRefused) string {
		return fmt.Sprintf("refused %d webhooks from %d networks, because they were not signed with the secret of their git source", e.Requests, e.Addresses)
	}),
	service.Tell(func(_ service.Names, e events.RefMoved) string { return moveText(e) }),
	service.Tell(func(_ service.Names, e events.StatusSent) string {
		return "told the git host " + e.State + " of " + shortID(e.Commit) + " as " + e.Context
	}),
	service.Tell(func(_ service.Names, e events.StatusGivenUp) string {
		return "gave up telling the git host " + e.State + " of " + shortID(e.Commit) + " as " + e.Context + ": " + plaintext.Line(e.Why)
	}),
	service.Tell(func(_ service.Names, e events.PullRequestChanged) string { return pullText(e) }),
	service.Tell(func(_ service.Names, e events.PullRequestsWatched) string {
		if !e.On {
			return "stopped watching the pull requests of a git source"
		}
		return fmt.Sprintf("began to watch the pull requests of a git source, which has %d", e.PullRequests)
	}),
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

func pullText(e events.PullRequestChanged) string {
	name := fmt.Sprintf("pull request %d", e.PullRequest.Number)
	if e.PullRequest.From == events.PullFork {
		name += " of a fork"
	}
	switch {
	case e.New == "":
		return "saw that the " + name + " was closed"
	case e.Initial:
		return "found the " + name + " at " + shortID(e.New)
	case e.Old == "":
		return "saw the new " + name + " at " + shortID(e.New)
	case e.Old == e.New:
		return "learned more about the " + name + " at " + shortID(e.New)
	}
	return "saw the " + name + " move from " + shortID(e.Old) + " to " + shortID(e.New)
}

// shortRef is a ref's name without what its kind says.
func shortRef(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
}

func shortID(id string) string { return id[:min(len(id), 8)] }

func hookText(e events.HookReceived) string {
	if e.Ping {
		return "was tried by a git host: " + plaintext.Line(e.Event)
	}
	text := "received the webhook " + plaintext.Line(e.Event)
	if e.PullRequest != nil {
		return text + fmt.Sprintf(" of pull request %d", e.PullRequest.Number)
	}
	if len(e.Refs) > 0 {
		text += " of " + shortRef(plaintext.Line(e.Refs[0].Ref))
	}
	if more := len(e.Refs) + e.More - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

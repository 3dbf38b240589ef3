package sources

import (
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// sentences tell the events of git sources to people.
var sentences = []service.Sentence{
	service.Tell(func(_ service.Names, e events.SourceLinked) service.Text {
		return service.Say("linked the git source ", service.Source(e.Name, e.Source), " to "+e.Settings.URL)
	}),
	service.Tell(func(_ service.Names, e events.SourceChanged) service.Text {
		return service.Say("changed the git source ", service.Source(e.Name, e.Source), ": "+strings.ReplaceAll(strings.Join(e.Changed, ", "), "-", " "))
	}),
	service.Tell(func(_ service.Names, e events.SourceUnlinked) service.Text {
		return service.Say("unlinked the git source ", service.Source(e.Name, e.Source))
	}),
	service.Tell(func(n service.Names, e events.RefsRecorded) service.Text {
		return service.Say(fmt.Sprintf("found %d branches and tags in the git source ", e.Refs), sourceOf(n, e.Source))
	}),
	service.Tell(func(n service.Names, e events.HookReceived) service.Text {
		return service.Say(hookText(e), " for the git source ", sourceOf(n, e.Source))
	}),
	service.Tell(func(n service.Names, e events.HookRedelivered) service.Text {
		return service.Say("received the webhook "+e.Delivery+" for the git source ", sourceOf(n, e.Source), " once more")
	}),
	service.Tell(func(n service.Names, e events.HookRefused) service.Text {
		return service.Say(fmt.Sprintf("refused %d webhooks from %d networks for the git source ", e.Requests, e.Addresses), sourceOf(n, e.Source),
			", because they were not signed with its secret")
	}),
	service.Tell(func(n service.Names, e events.RefMoved) service.Text {
		return service.Say(moveText(e), " in the git source ", sourceOf(n, e.Source))
	}),
	service.Tell(func(_ service.Names, e events.StatusSent) service.Text {
		return service.Say("told the git host that ", service.Build(e.Build), " of "+shortID(e.Commit)+" "+stateText(e.State)+", as "+e.Context)
	}),
	service.Tell(func(_ service.Names, e events.StatusGivenUp) service.Text {
		return service.Say("gave up telling the git host that ", service.Build(e.Build), " of "+shortID(e.Commit)+" "+stateText(e.State)+", as "+e.Context+": "+e.Why)
	}),
	service.Tell(func(n service.Names, e events.PullRequestChanged) service.Text {
		return service.Say(pullText(e), " in the git source ", sourceOf(n, e.Source))
	}),
	service.Tell(func(n service.Names, e events.PullRequestsWatched) service.Text {
		if !e.On {
			return service.Say("stopped watching the pull requests of the git source ", sourceOf(n, e.Source))
		}
		return service.Say("began to watch the pull requests of the git source ", sourceOf(n, e.Source), fmt.Sprintf(", which has %d", e.PullRequests))
	}),
}

// stateText is the end of a sentence about a build.
func stateText(state string) string {
	switch state {
	case events.StatusSuccess:
		return "succeeded"
	case events.StatusFailure:
		return "failed"
	case events.StatusCancelled:
		return "was cancelled"
	}
	return "was lost with its builders"
}

func sourceOf(n service.Names, id string) service.Part { return service.Source(n.Source(id), id) }

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
		return "received the test webhook " + e.Event
	}
	text := "received the webhook " + e.Event
	if e.PullRequest != nil {
		return text + fmt.Sprintf(" about pull request %d", e.PullRequest.Number)
	}
	if len(e.Refs) > 0 {
		text += " about " + shortRef(e.Refs[0].Ref)
	}
	if more := len(e.Refs) + e.More - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

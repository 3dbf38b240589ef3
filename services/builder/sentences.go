package builder

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// sentences tell the events of builds to people.
var sentences = []service.Sentence{
	service.Tell(func(n service.Names, e events.BuildQueued) string {
		what := strings.Join(e.Tags, ", ")
		switch {
		case e.Upload != nil && e.Test:
			return fmt.Sprintf("queued a build of %s from an uploaded directory, %.19s, without a push", e.Upload.Name, e.Upload.Digest)
		case e.Upload != nil:
			return fmt.Sprintf("queued a build of %s from an uploaded directory, %.19s, for %s", e.Upload.Name, e.Upload.Digest, what)
		case e.Test:
			what = "a test"
		}
		ref := e.Ref
		if e.PullRequest != nil {
			ref = fmt.Sprintf("pull request %d", e.PullRequest.Number)
		}
		text := fmt.Sprintf("queued a build of %s for %s: %s at %.12s, by the rule %s", n.Repository(e.Repository), what, ref, e.Commit, e.Rule.Name)
		if e.Rebuild != nil {
			text += ", because " + e.Rebuild.Base + " has changed"
		}
		return text
	}),
	service.Tell(func(_ service.Names, e events.BuildClaimed) string { return "gave a build to the builder " + e.Builder }),
	service.Tell(func(_ service.Names, e events.BuildStepEnded) string {
		switch {
		case e.Failed:
			return "failed a step of a build: " + e.Name
		case e.Cached:
			return "took a step of a build from the cache: " + e.Name
		}
		return "ended a step of a build: " + e.Name
	}),
	service.Tell(func(_ service.Names, e events.BuildPushed) string { return "pushed what was built: " + e.Digest }),
	service.Tell(func(_ service.Names, e events.BuildLost) string {
		if e.Released {
			return "gave a build back, since the builder " + e.Builder + " stops: it waits again"
		}
		return "lost a build with its builder " + e.Builder + ": it waits again"
	}),
	service.Tell(func(_ service.Names, e events.BuildFinished) string {
		text := "ended a build: " + e.Outcome
		if len(e.Tags) > 0 {
			text += ", " + strings.Join(e.Tags, ", ")
		}
		if e.Detail != "" {
			text += ": " + e.Detail
		}
		return text
	}),
	service.Tell(func(_ service.Names, e events.BuildLogSealed) string {
		if e.Digest == "" {
			return "found nothing that a build has written"
		}
		return fmt.Sprintf("sealed the log of a build, %s: %s", humanize.IBytes(uint64(e.Written)), e.Digest)
	}),
	service.Tell(func(_ service.Names, e events.MachineInvited) string { return "invited the " + e.Kind + " " + e.Name }),
	service.Tell(func(_ service.Names, e events.MachineEnrolled) string {
		return "enrolled as the " + e.Kind + " " + e.Name
	}),
	service.Tell(func(_ service.Names, e events.MachineRevoked) string { return "revoked the " + e.Kind + " " + e.Name }),
}

package builder

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// sentences tell the events of builds to people.
var sentences = []service.Sentence{
	service.Tell(func(n service.Names, e events.BuildQueued) service.Text {
		what := service.Say(", a test of ", service.Repository(n, e.Repository))
		if !e.Test {
			what = service.Say(" of ")
			for k, tag := range e.Tags {
				if k > 0 {
					what = service.Say(what, ", ")
				}
				what = service.Say(what, service.Tag(n, e.Repository, tag))
			}
		}
		if e.Upload != nil {
			return service.Say("queued ", service.Build(e.Build), what, " from an uploaded directory, "+service.ShortDigest(digest.Digest(e.Upload.Digest)))
		}
		ref := shortRef(e.Ref)
		if e.PullRequest != nil {
			ref = fmt.Sprintf("pull request %d", e.PullRequest.Number)
		}
		text := service.Say("queued ", service.Build(e.Build), what, fmt.Sprintf(" from %s at %.12s, by the rule %s", ref, e.Commit, e.Rule.Name))
		if e.Rebuild != nil {
			return service.Say(text, ", because "+e.Rebuild.Base+" has changed")
		}
		return text
	}),
	service.Tell(func(n service.Names, e events.BuildClaimed) service.Text {
		return service.Say("gave ", about(n, e.Build, e.Repository), " to the builder ", service.Machine(e.Builder))
	}),
	service.Tell(func(n service.Names, e events.BuildStepEnded) service.Text {
		how := "finished"
		switch {
		case e.Failed:
			how = "failed in"
		case e.Cached:
			how = "took from the cache"
		}
		return service.Say(how+" the step "+e.Name+" of ", about(n, e.Build, e.Repository))
	}),
	service.Tell(func(n service.Names, e events.BuildPushed) service.Text {
		return service.Say("pushed the image of ", about(n, e.Build, e.Repository), ": ", pushedImage(n, e.Repository, e.Digest))
	}),
	service.Tell(func(n service.Names, e events.BuildLost) service.Text {
		if e.Lacks == events.LacksHooks {
			return service.Say("gave ", about(n, e.Build, e.Repository), " back, because the builder ", service.Machine(e.Builder), " runs no hooks: it waits for one that does")
		}
		if e.Released {
			return service.Say("gave ", about(n, e.Build, e.Repository), " back, because the builder ", service.Machine(e.Builder), " stops: it waits again")
		}
		return service.Say("lost ", about(n, e.Build, e.Repository), " with its builder ", service.Machine(e.Builder), ": it waits again")
	}),
	service.Tell(func(n service.Names, e events.BuildFinished) service.Text {
		text := service.Say("ended ", about(n, e.Build, e.Repository), ": "+outcome(e.Outcome))
		for k, tag := range e.Tags {
			before := ", "
			if k == 0 {
				before = ", now "
			}
			if e.Repository == "" {
				text = service.Say(text, before+tag)
			} else {
				text = service.Say(text, before, service.Tag(n, e.Repository, tag))
			}
		}
		if e.Detail != "" {
			text = service.Say(text, " ("+e.Detail+")")
		}
		return text
	}),
	service.Tell(func(n service.Names, e events.BuildLogSealed) service.Text {
		if e.Digest == "" {
			return service.Say("found no log of ", about(n, e.Build, e.Repository))
		}
		return service.Say("stored the log of ", about(n, e.Build, e.Repository), fmt.Sprintf(", %s (%s)", humanize.IBytes(uint64(e.Written)), service.ShortDigest(digest.Digest(e.Digest))))
	}),
	service.Tell(func(_ service.Names, e events.MachineInvited) service.Text {
		return service.Say("invited the "+e.Kind+" ", service.Machine(e.Name))
	}),
	service.Tell(func(_ service.Names, e events.MachineEnrolled) service.Text {
		return service.Say("enrolled the "+e.Kind+" ", service.Machine(e.Name))
	}),
	service.Tell(func(_ service.Names, e events.MachineRevoked) service.Text {
		return service.Say("revoked the "+e.Kind+" ", service.Machine(e.Name))
	}),
}

// about is a build with its repository, which events of earlier versions do not name.
func about(n service.Names, build, repository string) service.Text {
	if repository == "" {
		return service.Say(service.Build(build))
	}
	return service.Say(service.Build(build), " of ", service.Repository(n, repository))
}

func pushedImage(n service.Names, repository, d string) service.Part {
	if repository == "" {
		return service.Part{Text: service.ShortDigest(digest.Digest(d))}
	}
	return service.Image(n, repository, digest.Digest(d))
}

func outcome(of string) string {
	switch of {
	case events.BuildSucceeded, events.BuildFailed:
		return "it " + of
	case events.BuildGivenUp:
		return "its builders were lost too often"
	}
	return "it was " + of
}

func shortRef(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
}

package registry

import (
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// sentences tell the registry's events to people.
var sentences = []service.Sentence{
	service.Tell(func(n service.Names, e events.ImagePushed) service.Text {
		what := service.Say("pushed ", imageName(n, e.Repository, e.Tag, e.Digest))
		if e.NewLayers == nil {
			return what
		}
		return service.Say(what, ", ", newLayers(*e.NewLayers))
	}),
	service.Tell(func(n service.Names, e events.ImageTagged) service.Text {
		switch {
		case e.Tag == "":
			return service.Say("pushed ", imageName(n, e.Repository, "", e.Digest), " again")
		case e.RolledBack != nil:
			return rolledBack(n, e)
		}
		return service.Say("pushed ", imageName(n, e.Repository, e.Tag, e.Digest), ", which the repository had already")
	}),
	service.Tell(func(n service.Names, e events.TagDeleted) service.Text {
		return service.Say("deleted the tag ", imageName(n, e.Repository, e.Tag, e.Digest))
	}),
	service.Tell(func(n service.Names, e events.TagRestored) service.Text {
		return service.Say("restored the tag ", imageName(n, e.Repository, e.Tag, e.Digest))
	}),
	service.Tell(func(n service.Names, e events.ManifestDeleted) service.Text {
		return service.Say("deleted the image ", imageName(n, e.Repository, "", e.Digest))
	}),
	service.Tell(func(n service.Names, e events.ManifestRestored) service.Text {
		return service.Say("restored the image ", imageName(n, e.Repository, "", e.Digest))
	}),
	service.Tell(func(n service.Names, e events.RefusalsCounted) service.Text {
		what := map[string]string{"pull": "to pull from ", "push": "to push to ", "delete": "to delete from "}[e.Action]
		why := map[string]string{events.RefusedByRights: "no role allows it", events.RefusedByToken: "the access token does not allow it", events.RefusedByImmutable: "the tag cannot be changed",
			events.RefusedByQuota: "the quota of the namespace is used up", events.RefusedBySpace: "the disk is full up to its reserve"}[e.Reason]
		if e.Attempts > 1 {
			why += fmt.Sprintf(" (%d requests)", e.Attempts)
		}
		return service.Say("did not allow ", service.Account(n, e.Account), " ", what, service.Repository(n, e.Repository), ": "+why)
	}),
	service.Tell(func(_ service.Names, e events.BlobsSwept) string {
		var size int64
		for _, b := range e.Blobs {
			size += b.Size
		}
		return fmt.Sprintf("removed %s that no image needs, %s", countOf(len(e.Blobs), "blob"), humanize.IBytes(uint64(size)))
	}),
	service.Tell(func(_ service.Names, e events.PullsCounted) string {
		var pulls int64
		for _, r := range e.Repositories {
			pulls += r.Pulls
		}
		return fmt.Sprintf("counted %s from %s in the hour from %s UTC", countOf(int(pulls), "pull"), plural(len(e.Repositories), "repository", "repositories"), e.From.UTC().Format("2006-01-02 15:04"))
	}),
}

// rolledBack tells from what and to what a tag was rolled back.
func rolledBack(n service.Names, e events.ImageTagged) service.Text {
	to := service.Say("rolled ", service.Tag(n, e.Repository, e.Tag), " back to ", service.Image(n, e.Repository, e.Digest), " of ", e.RolledBack.Since.UTC().Format("2 January 2006 15:04 UTC"))
	if e.RolledBack.From == "" {
		return to
	}
	return service.Say(to, ", from ", service.Image(n, e.Repository, e.RolledBack.From))
}

func newLayers(n int64) string {
	if n == 0 {
		return "no new layer"
	}
	return countOf(int(n), "layer") + " new"
}

func countOf(n int, what string) string { return plural(n, what, what+"s") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}

// imageName is an image by its tag, if it has one, and the beginning of its digest.
func imageName(n service.Names, repository, tag string, d digest.Digest) service.Text {
	switch {
	case tag == "":
		return service.Say(service.Image(n, repository, d), " of ", service.Repository(n, repository))
	case d == "":
		return service.Say(service.Tag(n, repository, tag))
	}
	return service.Say(service.Tag(n, repository, tag), " (", service.Image(n, repository, d), ")")
}

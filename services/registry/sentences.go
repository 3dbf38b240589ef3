package registry

import (
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/service"
)

// sentences tell the registry's events to people.
var sentences = []service.Sentence{
	service.Tell(func(n service.Names, e events.ImagePushed) string {
		return "pushed " + imageName(n, e.Repository, e.Tag, e.Digest)
	}),
	service.Tell(func(n service.Names, e events.ImageTagged) string {
		return "pushed " + imageName(n, e.Repository, e.Tag, e.Digest)
	}),
	service.Tell(func(n service.Names, e events.TagDeleted) string {
		return "deleted " + imageName(n, e.Repository, e.Tag, "")
	}),
	service.Tell(func(n service.Names, e events.TagRestored) string {
		return "restored " + imageName(n, e.Repository, e.Tag, "")
	}),
	service.Tell(func(n service.Names, e events.ManifestDeleted) string {
		return "deleted " + imageName(n, e.Repository, "", e.Digest)
	}),
	service.Tell(func(n service.Names, e events.ManifestRestored) string {
		return "restored " + imageName(n, e.Repository, "", e.Digest)
	}),
	service.Tell(func(_ service.Names, e events.BlobsSwept) string {
		return fmt.Sprintf("collected %d blobs that nothing needs", len(e.Blobs))
	}),
	service.Tell(func(_ service.Names, e events.PullsCounted) string {
		return fmt.Sprintf("counted pulls of %d repositories in the hour of %s", len(e.Repositories), e.From.Format(time.DateTime))
	}),
}

// imageName writes an image as docker does, with 12 digits of its digest.
func imageName(n service.Names, repository, tag string, d digest.Digest) string {
	text := n.Repository(repository)
	if tag != "" {
		text += ":" + tag
	}
	if d == "" {
		return text
	}
	short := d.String()
	if len(short) > 19 {
		short = short[:19]
	}
	return text + "@" + short
}

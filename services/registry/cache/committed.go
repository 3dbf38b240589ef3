package cache

import (
	"encoding/json"
	"strings"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
)

const uuidLength = 36

// maxKept is up to how many events a commit's pushes are kept for the next pull.
// A longer commit is a read model that catches up.
const maxKept = 32

// Committed drops what a commit of the read model has changed. It is called
// before anyone who waits for the commit goes on; parked says whether the read
// model has set any event aside.
func (c *Cache) Committed(commit projections.Commit, parked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if commit.Events == nil || len(c.changes) > maxRepositories {
		c.clear()
		return
	}
	keep := !parked && len(commit.Events) <= maxKept
	for k := range commit.Events {
		c.invalidate(&commit.Events[k], keep)
	}
}

// invalidate knows an event by its subject: evt.<namespace>.<aggregate>.<id>.
// What was pushed is kept as the answer to the next pull, if nothing is parked:
// then the commit has applied every event.
func (c *Cache) invalidate(e *events.Event, keep bool) {
	parts := strings.SplitN(e.Subject, ".", 4)
	if len(parts) != 4 {
		return
	}
	family, _, _ := events.SplitType(e.Type())
	switch id := parts[3]; parts[2] {
	case "repository":
		c.repositoryChanged(e)
	case "tag":
		if len(id) <= uuidLength {
			return
		}
		repo, tag := id[:uuidLength], strings.ReplaceAll(id[uuidLength+1:], "~", ".")
		c.changesOf(repo).any++
		c.drop(repo, kindManifest, tag)
		switch family {
		case "image.pushed":
			c.pushed(e, repo, tag, keep)
		case "image.tagged":
			c.tagged(e, repo, tag, keep)
		}
	case "image":
		n := c.changesOf(id)
		n.any++
		switch family {
		case "image.pushed":
			c.pushed(e, id, "", keep)
		case "image.tagged": // takes nothing away
		default:
			n.losses++
		}
	}
}

// repositoryChanged drops the name, the lists of names and all below the
// repository.
func (c *Cache) repositoryChanged(e *events.Event) {
	var p struct{ Repository, Name string }
	if json.Unmarshal(e.Data, &p) != nil {
		c.clear()
		return
	}
	c.changesOf("").any++
	n := c.changesOf(p.Repository)
	n.any++
	n.losses++
	c.drop("", kindRepository, p.Name)
	c.drop("", kindRepository, "library/"+p.Name)
}

// pushed drops what is known by the digest, too: the media type that goes with
// a digest is the pusher's, so that a push of the same bytes can change it.
func (c *Cache) pushed(e *events.Event, repo, tag string, keep bool) {
	p, err := events.Decode(e)
	push, ok := p.(events.ImagePushed)
	if err != nil || !ok {
		c.clear()
		return
	}
	c.drop(repo, kindManifest, push.Digest.String())
	var m struct{ MediaType string }
	if json.Unmarshal(push.Manifest, &m) != nil || m.MediaType == "" {
		c.changesOf(repo).losses++ // other tags may name it by another media type
	}
	if !keep {
		return
	}
	manifest := NewManifest(&images.Stored{Digest: push.Digest, MediaType: push.MediaType, Bytes: push.Manifest, Seq: e.Seq})
	f := Fill{repo: repo, clears: c.clears, at: *c.changesOf(repo)}
	if tag != "" {
		c.put(f, kindManifest, tag, manifest, manifest.size())
	}
	c.put(f, kindManifest, manifest.Digest, manifest, manifest.size())
}

// tagged keeps for the tag what is known by the digest.
func (c *Cache) tagged(e *events.Event, repo, tag string, keep bool) {
	p, err := events.Decode(e)
	push, ok := p.(events.ImageTagged)
	if err != nil || !ok {
		c.clear()
		return
	}
	known := c.entries[key{repo, kindManifest, push.Digest.String()}]
	if !keep || known == nil || known.changes.losses != known.at.losses {
		return
	}
	manifest := known.value.(*Manifest)
	c.put(Fill{repo: repo, clears: c.clears, at: *c.changesOf(repo)}, kindManifest, tag, manifest, manifest.size())
}

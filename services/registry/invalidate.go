package registry

import (
	"encoding/json"
	"strings"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
)

const uuidLength = 36

// Committed takes out of the cache what a commit of the projection changed.
// It is called before anyone who waits for the commit goes on; parked says
// whether the projection has set any event aside.
func (s *Registry) Committed(c projections.Commit, parked bool) {
	s.usage.Committed(c, parked)
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	if c.Events == nil || len(s.cache.marks) > maxMarks {
		s.cache.clear()
		return
	}
	keep := !parked && len(c.Events) <= maxKept
	for k := range c.Events {
		s.cache.invalidate(&c.Events[k], keep)
	}
}

// maxKept is up to how many events of a commit what they push is kept: a
// longer batch is a projection that catches up, not somebody who pulls next.
const maxKept = 32

// invalidate knows an event by its subject: evt.<namespace>.<aggregate>.<id>.
// What was pushed is kept as the answer to the next pull, if nothing is parked:
// then the commit has applied every event.
func (c *cache) invalidate(e *events.Event, keep bool) {
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
		c.markOf(repo).writes++
		c.drop(repo, kindManifest, tag)
		if family == "image.pushed" {
			c.pushed(e, repo, tag, keep)
		}
	case "image":
		m := c.markOf(id)
		m.writes++
		if family == "image.pushed" {
			c.pushed(e, id, "", keep)
		} else {
			m.epoch++
		}
	}
}

// repositoryChanged: the name, the list of names and all below it are new.
func (c *cache) repositoryChanged(e *events.Event) {
	var p struct{ Repository, Name string }
	if json.Unmarshal(e.Data, &p) != nil {
		c.clear()
		return
	}
	c.markOf("").writes++
	m := c.markOf(p.Repository)
	m.writes++
	m.epoch++
	c.drop("", kindRepository, p.Name)
	c.drop("", kindRepository, "library/"+p.Name)
}

// pushed takes out what is known by the digest too: the media type that goes
// with a digest is the pusher's, so that a push of the same bytes can change it.
func (c *cache) pushed(e *events.Event, repo, tag string, keep bool) {
	p, err := events.Decode(e)
	push, ok := p.(events.ImagePushed)
	if err != nil || !ok {
		c.clear()
		return
	}
	c.drop(repo, kindManifest, push.Digest.String())
	var says struct{ MediaType string }
	if json.Unmarshal(push.Manifest, &says) != nil || says.MediaType == "" {
		c.markOf(repo).epoch++ // other tags may name it by another media type
	}
	if !keep {
		return
	}
	m := newManifest(&images.Stored{Digest: push.Digest, MediaType: push.MediaType, Bytes: push.Manifest, Seq: e.Seq})
	f := fill{repo: repo, all: c.all, at: *c.markOf(repo)}
	if tag != "" {
		c.put(f, kindManifest, tag, m, m.cost())
	}
	c.put(f, kindManifest, m.digest, m, m.cost())
}

package registry

import (
	"encoding/json"
	"strings"

	"hubledger/events"
	"hubledger/projections"
)

const uuidLength = 36

// Committed takes out of the cache what a commit of the projection changed.
// It is called before anyone who waits for the commit goes on.
func (s *Registry) Committed(c projections.Commit) {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	if c.Events == nil || len(s.cache.marks) > maxMarks {
		s.cache.clear()
		return
	}
	for k := range c.Events {
		s.cache.invalidate(&c.Events[k])
	}
}

// invalidate knows an event by its subject: evt.<namespace>.<aggregate>.<id>.
func (c *cache) invalidate(e *events.Event) {
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
			c.drop(repo, kindManifest, digestIn(e))
		}
	case "image":
		m := c.markOf(id)
		m.writes++
		if family == "image.pushed" {
			c.drop(id, kindManifest, digestIn(e))
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

// digestIn is the digest of a push. The media type that goes with a digest is
// the pusher's, so that a push of the same bytes can change it.
func digestIn(e *events.Event) string {
	var p struct{ Digest string }
	if json.Unmarshal(e.Data, &p) != nil {
		return ""
	}
	return p.Digest
}

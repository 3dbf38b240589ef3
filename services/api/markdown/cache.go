package markdown

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// maxCached bounds the HTML that is kept, in bytes.
const maxCached = 16 << 20

// A cache keeps what was rendered last.
type cache struct {
	mu      sync.Mutex
	bytes   int
	entries map[[sha256.Size]byte]*list.Element
	recent  list.List // of *rendered, the latest first
}

type rendered struct {
	key  [sha256.Size]byte
	html string
}

// size of an entry, with what keeping it takes.
func (r *rendered) size() int { return len(r.html) + 300 }

func (c *cache) get(key [sha256.Size]byte) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return "", false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*rendered).html, true
}

func (c *cache) put(key [sha256.Size]byte, html string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok {
		return
	}
	r := &rendered{key, html}
	c.entries[key] = c.recent.PushFront(r)
	for c.bytes += r.size(); c.bytes > maxCached; {
		last := c.recent.Remove(c.recent.Back()).(*rendered)
		c.bytes -= last.size()
		delete(c.entries, last.key)
	}
}

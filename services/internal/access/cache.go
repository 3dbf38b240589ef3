package access

import "sync"

// maxCached bounds the entries of a cache: a few hundred bytes each.
const maxCached = 20_000

// A cache keeps what was read from the projection, by subject and by account.
// Whoever fills it says at which epoch they began to read; if anything was
// dropped since then, what they read may be outdated and is not kept.
//
// Names that do not exist are kept, too: to answer for them must not take longer
// than for names that may not be seen. A client that asks for many of them can
// evict other entries, which costs a few queries.
type cache struct {
	mu      sync.RWMutex
	epoch   uint64
	size    int
	entries map[string]map[who]any // by subject
}

// who is the account that an entry is for: what is known of a robot account
// must not answer for a user that claims its id.
type who struct {
	kind Kind
	id   string
}

func (p *Principal) who() who { return who{p.Kind, p.ID} }

func (c *cache) get(what string, by who) (v any, epoch uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.entries[what][by], c.epoch
}

func (c *cache) put(epoch uint64, what string, by who, v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != epoch {
		return
	}
	if c.entries == nil {
		c.entries = map[string]map[who]any{}
	}
	of := c.entries[what]
	if of == nil {
		of = map[who]any{}
		c.entries[what] = of
	}
	before := len(of)
	of[by] = v
	c.size += len(of) - before
	if c.size > maxCached {
		c.evict()
	}
}

// evict makes room for a tenth, in the map's random order.
func (c *cache) evict() {
	for what, of := range c.entries {
		for by := range of {
			if c.size <= maxCached/10*9 {
				return
			}
			delete(of, by)
			c.size--
		}
		delete(c.entries, what)
	}
}

// drop forgets all entries of a subject.
func (c *cache) drop(what ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for _, w := range what {
		c.size -= len(c.entries[w])
		delete(c.entries, w)
	}
}

// dropIf forgets the entries that match. It looks at all of them: for what
// happens seldom.
func (c *cache) dropIf(match func(v any) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for what, of := range c.entries {
		for by, v := range of {
			if match(v) {
				delete(of, by)
				c.size--
			}
		}
		if len(of) == 0 {
			delete(c.entries, what)
		}
	}
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.entries, c.size = nil, 0
}

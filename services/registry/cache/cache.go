// Package cache keeps answers of the images read model in memory, ready to be
// sent, until a commit changes them.
package cache

import (
	"sync"
	"sync/atomic"

	"hubledger/projections/images"
)

// maxRepositories bounds the repositories whose changes are counted.
const maxRepositories = 100_000

// A Cache holds only what was found, never that something is missing. A fill
// begins before the read model is read; if the repository has changed since
// then, what was found may be old and is not kept.
type Cache struct {
	mu      sync.RWMutex
	max     int
	size    int
	clears  uint64 // how often everything was dropped
	entries map[key]*entry
	changes map[string]*changes // by repository id; "" is for the names of repositories
}

type key struct {
	repo string // id
	kind byte
	ref  string
}

const (
	kindRepository = 'r' // by name, below repo ""
	kindManifest   = 'm' // by tag or digest
	kindBlob       = 'b' // by digest: a live manifest holds it
	kindList       = 'l' // by request: a whole answer
)

// changes counts what happened to a repository.
type changes struct {
	any    uint64 // every event
	losses uint64 // events that can take something away
}

type entry struct {
	value   any
	size    int
	changes *changes
	at      changes // the counts when the value was read
	used    atomic.Bool
}

// A Fill is a look at the read model that may end in the cache.
type Fill struct {
	repo   string
	clears uint64
	at     changes
}

// New is a cache that holds up to max bytes, by the sizes of what is in it.
func New(max int) *Cache {
	return &Cache{max: max, entries: map[key]*entry{}, changes: map[string]*changes{}}
}

func (c *Cache) changesOf(repo string) *changes {
	n := c.changes[repo]
	if n == nil {
		n = &changes{}
		c.changes[repo] = n
	}
	return n
}

// Begin is called before the read model is read for a repository, by its id;
// "" stands for the names of repositories.
func (c *Cache) Begin(repo string) Fill {
	c.mu.RLock()
	defer c.mu.RUnlock()
	f := Fill{repo: repo, clears: c.clears}
	if n := c.changes[repo]; n != nil {
		f.at = *n
	}
	return f
}

func (c *Cache) set(f Fill, kind byte, ref string, value any, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(f, kind, ref, value, size)
}

// put is set with the lock held.
func (c *Cache) put(f Fill, kind byte, ref string, value any, size int) {
	if size > c.max/64 {
		return
	}
	k := key{f.repo, kind, ref}
	size += len(f.repo) + len(ref) + 160
	n := c.changesOf(f.repo)
	if c.clears != f.clears || *n != f.at {
		return
	}
	if old := c.entries[k]; old != nil {
		c.size -= old.size
	}
	c.entries[k] = &entry{value: value, size: size, changes: n, at: f.at}
	c.size += size
	if c.size > c.max {
		c.evict()
	}
}

// evict gives every entry a second chance: it drops those that were not asked
// for since the last eviction, in the map's random order, until a tenth is free.
func (c *Cache) evict() {
	for c.size > c.max/10*9 {
		for k, e := range c.entries {
			if c.size <= c.max/10*9 {
				return
			}
			if !e.used.Swap(false) {
				delete(c.entries, k)
				c.size -= e.size
			}
		}
	}
}

func (c *Cache) get(repo string, kind byte, ref string) (any, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e := c.entries[key{repo, kind, ref}]
	if e == nil || e.changes.losses != e.at.losses || kind == kindList && e.changes.any != e.at.any {
		return nil, false
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e.value, true
}

func (c *Cache) drop(repo string, kind byte, ref string) {
	k := key{repo, kind, ref}
	if e := c.entries[k]; e != nil {
		delete(c.entries, k)
		c.size -= e.size
	}
}

// clear forgets everything, when it is not known what has changed.
func (c *Cache) clear() {
	c.clears++
	c.size = 0
	c.entries = map[key]*entry{}
	c.changes = map[string]*changes{}
}

// Repository is the repository of a name, as clients write it.
func (c *Cache) Repository(name string) (*images.Repository, bool) {
	v, ok := c.get("", kindRepository, name)
	repo, _ := v.(*images.Repository)
	return repo, ok
}

// SetRepository ends a fill that Begin("") began.
func (c *Cache) SetRepository(f Fill, name string, repo *images.Repository) {
	c.set(f, kindRepository, name, repo, len(repo.ID)*2+len(repo.Name))
}

package registry

import (
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
)

// maxCacheBytes bounds what the cache holds, by the sizes of what is in it.
const maxCacheBytes = 32 << 20

// maxMarks bounds the repositories the cache keeps book of.
const maxMarks = 100_000

// The cache keeps answers of the projection in memory. It holds only what was
// found, never that something is missing. Whoever fills it says when it began
// to look; if the repository was written to since then, what it found may be
// old and is not kept.
type cache struct {
	mu      sync.RWMutex
	max     int
	size    int
	all     uint64 // raised when everything was dropped
	entries map[cacheKey]*entry
	marks   map[string]*mark // by repository id; "" is the catalog of names
}

type cacheKey struct {
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

// A mark counts what happened to a repository.
type mark struct {
	writes uint64 // every event
	epoch  uint64 // events that can take something away
}

type entry struct {
	value any
	size  int
	mark  *mark
	at    mark // the mark's counts when the value was read
	used  atomic.Bool
}

// A fill is a look at the projection that may end in the cache.
type fill struct {
	repo string
	all  uint64
	at   mark
}

func newCache(max int) *cache {
	return &cache{max: max, entries: map[cacheKey]*entry{}, marks: map[string]*mark{}}
}

func (c *cache) markOf(repo string) *mark {
	m := c.marks[repo]
	if m == nil {
		m = &mark{}
		c.marks[repo] = m
	}
	return m
}

// begin is called before the projection is read.
func (c *cache) begin(repo string) fill {
	c.mu.RLock()
	defer c.mu.RUnlock()
	f := fill{repo: repo, all: c.all}
	if m := c.marks[repo]; m != nil {
		f.at = *m
	}
	return f
}

func (c *cache) set(f fill, kind byte, ref string, value any, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(f, kind, ref, value, size)
}

// put is set for who has the lock.
func (c *cache) put(f fill, kind byte, ref string, value any, size int) {
	if size > c.max/64 {
		return
	}
	key := cacheKey{f.repo, kind, ref}
	size += len(f.repo) + len(ref) + 160
	m := c.markOf(f.repo)
	if c.all != f.all || *m != f.at {
		return
	}
	if old := c.entries[key]; old != nil {
		c.size -= old.size
	}
	c.entries[key] = &entry{value: value, size: size, mark: m, at: f.at}
	c.size += size
	if c.size > c.max {
		c.evict()
	}
}

// evict gives every entry a second chance: it takes those that nobody asked
// for since the last time, in the map's random order, until a tenth is free.
func (c *cache) evict() {
	for c.size > c.max/10*9 {
		for key, e := range c.entries {
			if c.size <= c.max/10*9 {
				return
			}
			if !e.used.Swap(false) {
				delete(c.entries, key)
				c.size -= e.size
			}
		}
	}
}

func (c *cache) get(repo string, kind byte, ref string) (any, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e := c.entries[cacheKey{repo, kind, ref}]
	if e == nil || e.mark.epoch != e.at.epoch || kind == kindList && e.mark.writes != e.at.writes {
		return nil, false
	}
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e.value, true
}

func (c *cache) drop(repo string, kind byte, ref string) {
	key := cacheKey{repo, kind, ref}
	if e := c.entries[key]; e != nil {
		delete(c.entries, key)
		c.size -= e.size
	}
}

// clear forgets everything: what was missed is unknown.
func (c *cache) clear() {
	c.all++
	c.size = 0
	c.entries = map[cacheKey]*entry{}
	c.marks = map[string]*mark{}
}

func (c *cache) repository(name string) (*images.Repository, bool) {
	v, ok := c.get("", kindRepository, name)
	repo, _ := v.(*images.Repository)
	return repo, ok
}

func (c *cache) setRepository(f fill, name string, repo *images.Repository) {
	c.set(f, kindRepository, name, repo, len(repo.ID)*2+len(repo.Name))
}

func (c *cache) manifest(repo, ref string) (*manifest, bool) {
	v, ok := c.get(repo, kindManifest, ref)
	m, _ := v.(*manifest)
	return m, ok
}

func (c *cache) setManifest(f fill, repo, ref string, m *manifest) {
	c.set(f, kindManifest, ref, m, m.cost())
}

func (c *cache) blob(repo string, d digest.Digest) bool {
	_, ok := c.get(repo, kindBlob, string(d))
	return ok
}

func (c *cache) setBlob(f fill, repo string, d digest.Digest) {
	c.set(f, kindBlob, string(d), nil, 0)
}

func (c *cache) list(repo, request string) (*list, bool) {
	v, ok := c.get(repo, kindList, request)
	l, _ := v.(*list)
	return l, ok
}

func (c *cache) setList(f fill, request string, l *list) {
	c.set(f, kindList, request, l, len(l.body)+len(l.link))
}

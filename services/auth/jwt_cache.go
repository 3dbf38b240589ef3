package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// Bounds of the memory that verified tokens take, whatever tokens clients ask for.
const (
	maxCachedBytes = 16 << 20 // of memory, about
	maxCachedJWT   = 4 << 10  // bytes of text: a longer one is verified each time
	maxRefused     = 5        // names in the claim hub_refused: clients push to one at a time
)

// A jwtCache keeps verified tokens by the SHA-256 of their text, so that a repeated
// request needs no check of a signature. When it is full, random entries are
// dropped: a client cannot choose whose.
type jwtCache struct {
	mu      sync.Mutex
	entries map[[sha256.Size]byte]cachedJWT
	size    int // bytes
}

type cachedJWT struct {
	*verifiedJWT
	size int
}

func newJWTCache() *jwtCache { return &jwtCache{entries: map[[sha256.Size]byte]cachedJWT{}} }

// sizeOf is about what a token takes in memory once it is read: each short
// name in its text becomes strings, slices and an entry of a map.
func sizeOf(text string) int { return 1<<10 + 5*len(text) }

func (c *jwtCache) get(sum [sha256.Size]byte) (*verifiedJWT, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[sum]
	return e.verifiedJWT, ok
}

// put keeps a verified token unless its text is too long.
func (c *jwtCache) put(sum [sha256.Size]byte, text string, v *verifiedJWT) {
	if len(text) > maxCachedJWT {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(sum)
	size := sizeOf(text)
	for other := range c.entries {
		if c.size+size <= maxCachedBytes {
			break
		}
		c.remove(other)
	}
	c.entries[sum] = cachedJWT{v, size}
	c.size += size
}

func (c *jwtCache) drop(sum [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(sum)
}

// dropExpired drops the tokens that have expired.
func (c *jwtCache) dropExpired(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for sum, e := range c.entries {
		if !now.Before(e.expires) {
			c.remove(sum)
		}
	}
}

func (c *jwtCache) remove(sum [sha256.Size]byte) {
	if e, ok := c.entries[sum]; ok {
		c.size -= e.size
		delete(c.entries, sum)
	}
}

package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// A bounded is a map of at most max entries. When it is full, random entries are
// dropped: a client cannot choose whose.
type bounded[K comparable, V any] struct {
	mu      sync.Mutex
	max     int
	entries map[K]V
}

func newBounded[K comparable, V any](max int) *bounded[K, V] {
	return &bounded[K, V]{max: max, entries: map[K]V{}}
}

func (b *bounded[K, V]) get(k K) (V, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.entries[k]
	return v, ok
}

func (b *bounded[K, V]) put(k K, v V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.entries[k]; !ok {
		shrink(b.entries, b.max)
	}
	b.entries[k] = v
}

func (b *bounded[K, V]) drop(k K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.entries, k)
}

// shrink makes room for one more among max.
func shrink[K comparable, V any](m map[K]V, max int) {
	for k := range m {
		if len(m) < max {
			return
		}
		delete(m, k)
	}
}

// verified remembers for some minutes which passwords were checked and right, so
// that not every request of a docker pull pays for a check. It does not hold the
// passwords: its keys are MACs under a key of this process.
type verified struct {
	mac     []byte
	entries *bounded[verifiedKey, verifiedLogin]
}

type verifiedKey [sha256.Size]byte

type verifiedLogin struct {
	identity
	until time.Time
}

// verifiedFor is how long a password need not be checked again. When it is
// changed or the account is disabled it is no longer accepted at once.
const verifiedFor = 5 * time.Minute

func newVerified() *verified {
	v := &verified{make([]byte, 32), newBounded[verifiedKey, verifiedLogin](10_000)}
	rand.Read(v.mac)
	return v
}

func (v *verified) key(name, password string) verifiedKey {
	h := hmac.New(sha256.New, v.mac)
	sum := sha256.Sum256([]byte(name))
	h.Write(sum[:])
	h.Write([]byte(password))
	return verifiedKey(h.Sum(nil))
}

func (v *verified) get(k verifiedKey, now time.Time) (identity, bool) {
	p, ok := v.entries.get(k)
	return p.identity, ok && now.Before(p.until)
}

func (v *verified) put(k verifiedKey, id identity, now time.Time) {
	v.entries.put(k, verifiedLogin{id, now.Add(verifiedFor)})
}

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

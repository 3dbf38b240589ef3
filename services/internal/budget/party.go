package budget

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// A party is a network or an account, and what it uses.
type party struct {
	name   atomic.Pointer[string] // of an account
	atOnce [costs]atomic.Int32
	held   atomic.Int64 // bytes of memory

	mu      sync.Mutex
	changes bucket
	logins  bucket
	log     bucket
	written int64     // bytes in the log since the node started
	warned  time.Time // when its warning was last logged
}

// idle says whether nothing is lost when a party is forgotten.
func (p *party) idle(now time.Time) bool {
	for k := range p.atOnce {
		if p.atOnce[k].Load() > 0 {
			return false
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held.Load() == 0 && p.log.used(now) == 0 && p.changes.used(now) == 0 && p.logins.used(now) == 0
}

// A bucket is filled at a constant rate up to its size.
type bucket struct {
	spent float64   // of what it holds
	at    time.Time // when spent was true
	rate  float64   // that comes back in a second
}

// used is what has not come back yet.
func (b *bucket) used(now time.Time) float64 {
	return max(0, b.spent-b.rate*now.Sub(b.at).Seconds())
}

// spend takes from a bucket of that size and rate. Without force it does not, and
// says how long to wait, when there is not enough; a single expense is possible
// whenever the bucket is full.
func (b *bucket) spend(now time.Time, amount, size, rate float64, force bool) (after time.Duration, ok bool) {
	b.spent, b.at, b.rate = b.used(now), now, rate
	if missing := b.spent + min(amount, size) - size; missing > 0 && !force {
		return wait(missing, rate), false
	}
	b.spent += amount
	return 0, true
}

// shards of parties, so that requests do not wait for each other.
const shards = 64

// maxParties bounds the parties of one shard.
const maxParties = 1000

// parties finds parties by what they are counted by.
type parties[K comparable] struct {
	shards [shards]struct {
		mu  sync.Mutex
		all map[K]*party
	}
}

var seed = maphash.MakeSeed()

// of is the party with that key. When there are too many, others that use nothing
// are forgotten, or any if all of them use something: what they use then is counted
// apart from what they use later.
func (ps *parties[K]) of(key K) *party {
	s := &ps.shards[maphash.Comparable(seed, key)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.all[key]
	if p != nil {
		return p
	}
	if s.all == nil {
		s.all = map[K]*party{}
	}
	if len(s.all) >= maxParties {
		now, looked := time.Now(), 0
		var any K
		for k, other := range s.all {
			if any = k; other.idle(now) {
				delete(s.all, k)
			}
			if looked++; looked >= 20 { // the order of a map is random
				break
			}
		}
		if len(s.all) >= maxParties {
			delete(s.all, any)
		}
	}
	p = &party{}
	s.all[key] = p
	return p
}

// each calls f for all parties.
func (ps *parties[K]) each(f func(p *party)) {
	for k := range ps.shards {
		s := &ps.shards[k]
		s.mu.Lock()
		for _, p := range s.all {
			f(p)
		}
		s.mu.Unlock()
	}
}

package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// How guessing is slowed down, and nobody kept out by strangers:
//
//   - An address that has failed five times waits, twice as long with every
//     further failure, up to five minutes. It is one IPv4 address or one IPv6
//     network of 64 bits. Nobody else waits with it.
//   - An address from which an account was logged in to before is counted for
//     that account alone: neither what others do at that address nor what
//     strangers do to that account slows it down. Its own failures do, up to
//     half a minute.
//   - An account at which strangers failed twenty times is under attack: then
//     every strange address waits from its first failure on. It still has that
//     first attempt: the right password gets in from anywhere, at once. The same
//     holds for names that are no accounts'.
//   - An access token is never refused for any of this: 256 bits are not guessed.
//
// All of it is this node's memory, bounded, and forgotten after a while.
const (
	freeFailures     = 5
	attackFailures   = 20
	firstWait        = time.Second
	longestWait      = 5 * time.Minute  // of an address
	longestWaitKnown = 30 * time.Second // of an address and an account that know each other
	forgetAfter      = 15 * time.Minute // without a failure
	maxTracked       = 50_000           // addresses, accounts, and pairs of them: each
)

// A streak is a row of failures.
type streak struct {
	n        int
	checking int       // guesses that are being looked at
	at       time.Time // of the last one
	until    time.Time // nothing is tried before
	last     [16]byte  // what was tried: the same wrong password again is no further guess
}

// A digest16 stands for a name, or an address with a name, in memory.
type digest16 [16]byte

// A backoff keeps book of failed logins.
type backoff struct {
	salt [16]byte

	mu         sync.Mutex
	addresses  map[netip.Prefix]*streak
	accounts   map[digest16]*streak // failures by strangers, by whatever name they tried
	knownPairs map[digest16]*streak // by address and account: those that have logged in
	counts     *refusalCounts
}

func newBackoff(now time.Time) *backoff {
	g := &backoff{addresses: map[netip.Prefix]*streak{}, accounts: map[digest16]*streak{}, knownPairs: map[digest16]*streak{}, counts: newRefusalCounts(now)}
	rand.Read(g.salt[:])
	return g
}

// network is what addresses are counted by.
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: a socket
	}
	return p
}

func (g *backoff) digest(parts ...string) digest16 {
	h := sha256.New()
	h.Write(g.salt[:])
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		h.Write(sum[:])
	}
	return digest16(h.Sum(nil))
}

// isKnownPair says whether an account was logged in to from an address before.
func (g *backoff) isKnownPair(addr netip.Addr, account string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.knownPairs[g.digest(network(addr).String(), account)]
	return ok
}

// wait is how long an address has to wait until it may try a password of an
// account, 0 for not at all.
func (g *backoff) wait(addr netip.Addr, account string, now time.Time) time.Duration {
	from := network(addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	s, home := g.knownPairs[g.digest(from.String(), account)]
	if !home {
		s = g.addresses[from]
	}
	if s == nil {
		return 0
	}
	return max(0, s.until.Sub(now))
}

// streakOf is that of an address, or of an address and an account that know
// each other.
func (g *backoff) streakOf(addr netip.Addr, account string) *streak {
	from := network(addr)
	if s, home := g.knownPairs[g.digest(from.String(), account)]; home {
		return s
	}
	return track(g.addresses, from)
}

// enter begins to look at a password, and leave ends it. It may not be tried
// when there is something to wait for, or when as many as are free are being
// looked at: then leave is nil, in the second case with no wait.
func (g *backoff) enter(addr netip.Addr, account string, now time.Time) (wait time.Duration, leave func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.streakOf(addr, account)
	if wait = s.until.Sub(now); wait > 0 {
		return wait, nil
	}
	if s.checking >= max(1, freeFailures-s.n) {
		return 0, nil
	}
	s.checking++
	return 0, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		s.checking--
	}
}

// succeeded notes that an account was logged in to from an address.
func (g *backoff) succeeded(addr netip.Addr, account string) {
	home := g.digest(network(addr).String(), account)
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.knownPairs[home]; !ok {
		shrink(g.knownPairs, maxTracked)
	}
	g.knownPairs[home] = &streak{}
}

// failed notes a wrong password, of an account or of a name that is none: were
// they counted differently, that would tell which names are accounts'. tried
// is the password's place in memory. It returns how long to wait now.
func (g *backoff) failed(addr netip.Addr, account string, tried [16]byte, now time.Time) time.Duration {
	from := network(addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	if s, ok := g.knownPairs[g.digest(from.String(), account)]; ok {
		return s.fail(tried, now, freeFailures, longestWaitKnown)
	}
	free := freeFailures
	a := track(g.accounts, g.digest(account))
	a.fail(tried, now, freeFailures, 0)
	if a.n > attackFailures {
		free = 0
	}
	return track(g.addresses, from).fail(tried, now, free, longestWait)
}

// failedSecret notes an access token that is not good. The address waits for
// it when it next tries a password.
func (g *backoff) failedSecret(addr netip.Addr, tried [16]byte, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return track(g.addresses, network(addr)).fail(tried, now, freeFailures, longestWait)
}

func track[K comparable](m map[K]*streak, k K) *streak {
	s := m[k]
	if s == nil {
		shrink(m, maxTracked)
		s = &streak{}
		m[k] = s
	}
	return s
}

// fail adds a failure, of which so many are free, and returns the wait.
func (s *streak) fail(tried [16]byte, now time.Time, free int, longest time.Duration) time.Duration {
	if now.Sub(s.at) > forgetAfter {
		*s = streak{checking: s.checking}
	}
	if s.n > 0 && s.last == tried {
		s.at = now
		return max(0, s.until.Sub(now))
	}
	s.n++
	s.at, s.last = now, tried
	if s.n <= free {
		return 0
	}
	wait := min(firstWait<<min(s.n-free-1, 20), longest)
	if until := now.Add(wait); until.After(s.until) {
		s.until = until
	}
	return s.until.Sub(now)
}

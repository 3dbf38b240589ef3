package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// How guessing passwords is slowed down without locking users out:
//
//   - An address that has failed five times waits, twice as long with every
//     further failure, up to five minutes. It is one IPv4 address or one IPv6
//     network of 64 bits. No other address waits with it.
//   - An address from which an account was logged in to before (a known pair) is
//     counted on its own: neither failures with other accounts from that address
//     nor failures with that account from elsewhere slow it down. Its own failures
//     do, up to half a minute.
//   - An account with which unknown addresses failed twenty times is under attack:
//     then every unknown address waits from its first failure on. It still has its
//     first attempt, which does not wait for those of addresses that have failed:
//     the right password is accepted from anywhere at once. Names that belong to no
//     account are treated in the same way.
//   - An access token is never refused for these reasons: 256 bits are not guessed.
//
// This is kept in the memory of one node, bounded, and forgotten after a while.
const (
	freeFailures     = 5
	attackFailures   = 20
	firstWait        = time.Second
	longestWait      = 5 * time.Minute  // of an address
	longestWaitKnown = 30 * time.Second // of a known pair
	forgetAfter      = 15 * time.Minute // without a failure
	maxTracked       = 50_000           // of addresses, of accounts, and of known pairs
)

// A streak is a row of failures.
type streak struct {
	n        int
	checking int       // passwords that are being checked
	at       time.Time // of the last failure
	until    time.Time // no password is checked before
	last     [16]byte  // the last password's digest: the same wrong password again is no further guess
}

// A digest16 stands for a name, or an address with a name, in memory.
type digest16 [16]byte

// A backoff keeps the failed logins and says who has to wait.
type backoff struct {
	salt [16]byte

	mu         sync.Mutex
	addresses  map[netip.Prefix]*streak
	accounts   map[digest16]*streak // failures from unknown addresses, by the name that was tried
	knownPairs map[digest16]*streak // by address and account: pairs that have logged in
	counts     *refusalCounts
}

func newBackoff(now time.Time) *backoff {
	b := &backoff{addresses: map[netip.Prefix]*streak{}, accounts: map[digest16]*streak{}, knownPairs: map[digest16]*streak{}, counts: newRefusalCounts(now)}
	rand.Read(b.salt[:])
	return b
}

// network is what the failures of an address are counted by.
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

func (b *backoff) digest(parts ...string) digest16 {
	h := sha256.New()
	h.Write(b.salt[:])
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		h.Write(sum[:])
	}
	return digest16(h.Sum(nil))
}

// isKnownPair reports whether an account was logged in to from an address before.
func (b *backoff) isKnownPair(addr netip.Addr, account string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.knownPairs[b.digest(network(addr).String(), account)]
	return ok
}

// wait is how long an address has to wait until it may try a password of an
// account, 0 for not at all.
func (b *backoff) wait(addr netip.Addr, account string, now time.Time) time.Duration {
	from := network(addr)
	b.mu.Lock()
	defer b.mu.Unlock()
	s, home := b.knownPairs[b.digest(from.String(), account)]
	if !home {
		s = b.addresses[from]
	}
	if s == nil {
		return 0
	}
	return max(0, s.until.Sub(now))
}

// streakOf is the streak of a known pair or else of the address.
func (b *backoff) streakOf(addr netip.Addr, account string) *streak {
	from := network(addr)
	if s, home := b.knownPairs[b.digest(from.String(), account)]; home {
		return s
	}
	return track(b.addresses, from)
}

// enter begins the check of a password, and leave ends it. When the address has to
// wait, or as many passwords are being checked as it may have failures, leave is
// nil; in the second case wait is 0. first says that the address has no failure and
// no other check.
func (b *backoff) enter(addr netip.Addr, account string, now time.Time) (wait time.Duration, first bool, leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.streakOf(addr, account)
	if wait = s.until.Sub(now); wait > 0 {
		return wait, false, nil
	}
	if s.checking >= max(1, freeFailures-s.n) {
		return 0, false, nil
	}
	s.checking++
	first = s.checking == 1 && (s.n == 0 || now.Sub(s.at) > forgetAfter)
	return 0, first, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		s.checking--
	}
}

// succeeded records that an account was logged in to from an address.
func (b *backoff) succeeded(addr netip.Addr, account string) {
	home := b.digest(network(addr).String(), account)
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.knownPairs[home]; !ok {
		shrink(b.knownPairs, maxTracked)
	}
	b.knownPairs[home] = &streak{}
}

// failed records a wrong password for a name. Names that are no account's are
// counted in the same way, since a difference would reveal which are. tried is a
// digest of the password. It returns how long to wait now.
func (b *backoff) failed(addr netip.Addr, account string, tried [16]byte, now time.Time) time.Duration {
	from := network(addr)
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.knownPairs[b.digest(from.String(), account)]; ok {
		return s.fail(tried, now, freeFailures, longestWaitKnown)
	}
	free := freeFailures
	a := track(b.accounts, b.digest(account))
	a.fail(tried, now, freeFailures, 0)
	if a.n > attackFailures {
		free = 0
	}
	return track(b.addresses, from).fail(tried, now, free, longestWait)
}

// failedSecret records an invalid access token. It adds to the time that the
// address waits before it may try a password.
func (b *backoff) failedSecret(addr netip.Addr, tried [16]byte, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return track(b.addresses, network(addr)).fail(tried, now, freeFailures, longestWait)
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

// fail adds a failure and returns the wait. The first free failures cost none.
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

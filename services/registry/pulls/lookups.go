package pulls

import (
	"net/netip"
	"time"
)

// A Client is who pulls: an account or, for those without one, an address.
type Client struct {
	Account string // id
	Addr    netip.Addr
}

// A lookUp is what a client learned of a repository: that a tag is this digest.
type lookUp struct {
	by           Client
	repo, digest string
}

const (
	// lookUpTerm is how long at least a look at a tag counts as the beginning of a
	// pull by digest. Clients go on at once.
	lookUpTerm = time.Minute
	// maxLookUps bounds those remembered; with more at a time the oldest are
	// forgotten, and their pulls count for the manifest only.
	maxLookUps = 20_000
)

// lookedUp remembers the tags that clients looked at lately, in two halves: the
// older one goes when the newer one is full or a term old.
type lookedUp struct {
	newer, older map[lookUp]string
	since        time.Time // when newer began
}

func (l *lookedUp) turn(now time.Time) {
	for range 2 {
		if age := now.Sub(l.since); age < lookUpTerm && len(l.newer) < maxLookUps/2 {
			return
		} else if age < 2*lookUpTerm {
			l.older, l.newer, l.since = l.newer, map[lookUp]string{}, now
		} else {
			l.older, l.newer, l.since = nil, map[lookUp]string{}, now
		}
	}
}

func (l *lookedUp) add(now time.Time, key lookUp, tag string) {
	l.turn(now)
	l.newer[key] = tag
}

// tag is the tag by which the client looked the digest up last; "" when it did not.
func (l *lookedUp) tag(now time.Time, key lookUp) string {
	l.turn(now)
	if tag, ok := l.newer[key]; ok {
		return tag
	}
	return l.older[key]
}

func (l *lookedUp) forget(key lookUp) {
	delete(l.newer, key)
	delete(l.older, key)
}

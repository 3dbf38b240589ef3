// Package secret makes what opens something to whoever knows it: it is shown once, and the
// log keeps its hash.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
)

// A Secret is such a text. It must not be written anywhere.
type Secret string

// New makes one of 260 random bits: 52 characters of base32 (RFC 4648), fit for URLs.
func New() Secret { return Secret(rand.Text() + rand.Text()) }

// Hash is its SHA-256, by which it is found again. A plain hash is enough for what nobody
// can guess, and what is compared by a hash tells nothing by its time.
func (s Secret) Hash() []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

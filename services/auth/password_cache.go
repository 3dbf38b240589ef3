package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"time"

	"hubledger/services/internal/access"
)

// verified remembers for some minutes which passwords were checked and right, so
// that not every request of a docker pull pays for a check. It does not hold the
// passwords: its keys are MACs under a key of this process.
type verified struct {
	mac     []byte
	entries *bounded[verifiedKey, verifiedLogin]
}

type verifiedKey [sha256.Size]byte

type verifiedLogin struct {
	access.Principal
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

func (v *verified) get(k verifiedKey, now time.Time) (access.Principal, bool) {
	p, ok := v.entries.get(k)
	return p.Principal, ok && now.Before(p.until)
}

func (v *verified) put(k verifiedKey, p access.Principal, now time.Time) {
	v.entries.put(k, verifiedLogin{p, now.Add(verifiedFor)})
}

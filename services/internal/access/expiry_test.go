package access

import (
	"testing"
	"testing/synctest"
	"time"

	"hubledger/projections/accounts"
)

// Expiry is told by the clock, whatever is remembered.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(time.Minute)
		c := &credential{&accounts.Account{ID: "u", Kind: accounts.KindUser}, &accounts.Token{ID: "k", Owner: "u", Expires: &end}}
		p := Principal{Kind: User, ID: "u", Credential: "k"}
		if time.Sleep(time.Minute - 1); !c.good(p) {
			t.Error("expired too early")
		}
		if time.Sleep(time.Nanosecond); c.good(p) {
			t.Error("not expired")
		}
	})
}

// The cache is bounded, and what does not fit is asked for again.
func TestCacheIsBounded(t *testing.T) {
	var c cache
	for k := range maxCached + 10 {
		c.put(0, string(rune(k%1000)), who{User, string(rune(k))}, k)
	}
	n := 0
	for _, of := range c.entries {
		if len(of) == 0 {
			t.Error("an empty entry is left")
		}
		n += len(of)
	}
	if n != c.size || n > maxCached || n < maxCached/10*9 {
		t.Errorf("%d entries, said to be %d", n, c.size)
	}
	for k := range 1000 {
		c.drop(string(rune(k)))
	}
	if c.size != 0 || len(c.entries) != 0 {
		t.Errorf("%d entries are left, said to be %d", len(c.entries), c.size)
	}
}

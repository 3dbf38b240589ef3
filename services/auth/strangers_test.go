package auth_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// However many strangers guess, who logged in from there before gets in, and so does
// who has the right password at the first attempt from a new address.
func TestStrangersCrowdNobodyOut(t *testing.T) {
	h := withAlice(t)
	alice := basic("alice", alicesPassword)
	if a := h.get(from("192.0.2.1", alice), nil); a.status != 200 {
		t.Fatalf("%+v", a)
	}
	if a := h.get(from("198.51.100.2", basic("alice", "a wrong password")), nil); a.status != 401 {
		t.Fatalf("%+v", a)
	}
	h.CrowdOut()
	if a := h.get(from("198.51.100.2", alice), nil); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("a stranger who has failed: %+v", a)
	}
	if a := h.get(from("198.51.100.1", alice), nil); a.status != 200 {
		t.Errorf("alice's first attempt from a new address: %+v", a)
	}
	if a := h.get(from("192.0.2.1", alice), nil); a.status != 200 {
		t.Errorf("alice at home: %+v", a)
	}
}

// How strangers' guesses are answered does not tell which names are accounts'.
func TestNamesAreNotToldByTheWait(t *testing.T) {
	h := withAlice(t)
	answers := map[string][]int{}
	for k, name := range []string{"alice", "no-such-user", "Not A Name", "bob"} {
		guess := func(addr netip.Addr, n int) int {
			return h.get(from(addr.String(), basic(name, fmt.Sprint("wrong-password-", n))), nil).status
		}
		for n := range 21 {
			answers[name] = append(answers[name], guess(netip.AddrFrom4([4]byte{10, byte(k), 0, byte(n)}), n))
		}
		for n := range 4 {
			answers[name] = append(answers[name], guess(netip.AddrFrom4([4]byte{10, byte(k), 1, 1}), 100+n))
		}
	}
	want := answers["alice"]
	if !slices.Equal(want[len(want)-4:], []int{401, 429, 429, 429}) {
		t.Errorf("an account under attack is not guarded: %v", want)
	}
	for name, got := range answers {
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", name, got, want)
		}
	}
}

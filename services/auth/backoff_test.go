package auth

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// A scene is a guard and a clock.
type scene struct {
	*backoff
	now   time.Time
	tried uint64
}

func newScene() *scene {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	return &scene{backoff: newBackoff(now), now: now}
}

// guess tries another wrong password if that is let through, and says so.
func (s *scene) guess(addr, account string) bool {
	at := netip.MustParseAddr(addr)
	if s.wait(at, account, s.now) > 0 {
		return false
	}
	s.tried++
	var tried [16]byte
	binary.BigEndian.PutUint64(tried[:], s.tried)
	s.failed(at, account, tried, s.now)
	return true
}

func (s *scene) left(addr, account string) time.Duration {
	return s.wait(netip.MustParseAddr(addr), account, s.now)
}

// guesses counts those that are let through in some time, one tried each 100 ms.
func (s *scene) guesses(addr, account string, during time.Duration) (n int) {
	for until := s.now.Add(during); s.now.Before(until); s.now = s.now.Add(100 * time.Millisecond) {
		if s.guess(addr, account) {
			n++
		}
	}
	return n
}

func TestAddressesWaitLongerAndLonger(t *testing.T) {
	s := newScene()
	for range freeFailures {
		if !s.guess("192.0.2.1", "alice") {
			t.Fatal("one of the free failures is refused")
		}
	}
	if s.left("192.0.2.1", "alice") != 0 {
		t.Fatal("waits after the free failures")
	}
	for want := time.Second; want <= 4*longestWait; want *= 2 {
		if !s.guess("192.0.2.1", "bob") {
			t.Fatalf("refused after the wait before %v", want)
		}
		if got := s.left("192.0.2.1", "alice"); got != min(want, longestWait) {
			t.Fatalf("waits %v, not %v", got, want)
		}
		s.now = s.now.Add(min(want, longestWait))
	}
	if s.left("192.0.2.2", "alice") != 0 {
		t.Error("another address waits, too")
	}
	s.now = s.now.Add(forgetAfter + time.Second)
	for range freeFailures {
		if !s.guess("192.0.2.1", "alice") {
			t.Fatal("old failures are not forgotten")
		}
	}
	if n := newScene().guesses("192.0.2.1", "alice", 24*time.Hour); n > 310 {
		t.Errorf("%d guesses a day from one address", n)
	}
}

func TestOneNetworkIsOneAddress(t *testing.T) {
	s := newScene()
	for i := range 20 {
		s.guess(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 15: byte(i)}).String(), "alice")
	}
	if s.left("2001:db8:0:1::ffff", "alice") == 0 {
		t.Error("another address of the same /64 does not wait")
	}
	if s.left("2001:db8:0:2::1", "alice") != 0 {
		t.Error("another /64 waits")
	}
}

// Whatever strangers do, who knows the password gets in: at once from where
// they have been before, and at once from anywhere else.
func TestStrangersLockNobodyOut(t *testing.T) {
	s := newScene()
	home := netip.MustParseAddr("192.0.2.1")
	s.succeeded(home, "alice")
	for i := range 200_000 {
		s.guess(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), "alice")
		s.guess("192.0.2.1", "bob") // also by others behind the same address
	}
	if left := s.left("192.0.2.1", "alice"); left != 0 {
		t.Errorf("alice waits %v at home", left)
	}
	if left := s.left("198.51.100.1", "alice"); left != 0 {
		t.Errorf("alice waits %v at a new place", left)
	}
	if len(s.addresses) > maxTracked || len(s.accounts) > maxTracked || len(s.knownPairs) > maxTracked {
		t.Errorf("%d, %d and %d entries are held", len(s.addresses), len(s.accounts), len(s.knownPairs))
	}
}

// An account that many strangers try is guarded from their first failure on.
func TestAccountUnderAttack(t *testing.T) {
	s := newScene()
	for i := range attackFailures {
		s.guess(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}).String(), "alice")
	}
	s.guess("198.51.100.1", "alice")
	if s.left("198.51.100.1", "alice") == 0 {
		t.Error("a stranger's second guess comes at once")
	}
	s.guess("198.51.100.2", "bob")
	if s.left("198.51.100.2", "bob") != 0 {
		t.Error("another account is guarded, too")
	}
}

// Who guesses from the victim's own address is slowed down there.
func TestGuessingFromHome(t *testing.T) {
	s := newScene()
	s.succeeded(netip.MustParseAddr("192.0.2.1"), "alice")
	if n := s.guesses("192.0.2.1", "alice", time.Hour); n > freeFailures+5+120 {
		t.Errorf("%d guesses an hour", n)
	}
	if left := s.left("192.0.2.1", "alice"); left > longestWaitKnown {
		t.Errorf("alice waits %v", left)
	}
}

// What is let through ends, and what was right counts for nothing.
func TestEnterAndLeave(t *testing.T) {
	s := newScene()
	at := netip.MustParseAddr("192.0.2.1")
	for range 100 {
		_, _, leave := s.enter(at, "alice", s.now)
		if leave == nil {
			t.Fatal("refused")
		}
		s.succeeded(at, "alice")
		leave()
	}
	var leaves []func()
	for {
		wait, _, leave := s.enter(at, "bob", s.now)
		if leave == nil {
			if wait != 0 {
				t.Errorf("waits %v without a failure", wait)
			}
			break
		}
		leaves = append(leaves, leave)
	}
	if len(leaves) != freeFailures {
		t.Errorf("%d at once", len(leaves))
	}
	for _, leave := range leaves {
		leave()
	}
	if _, _, leave := s.enter(at, "bob", s.now); leave == nil {
		t.Error("refused when nothing is looked at")
	}
}

// A program that is stuck with an old password is no guesser.
func TestTheSamePasswordAgainIsNoGuess(t *testing.T) {
	s := newScene()
	at := netip.MustParseAddr("192.0.2.1")
	for range 1000 {
		s.failed(at, "alice", [16]byte{1}, s.now)
	}
	if left := s.left("192.0.2.1", "alice"); left != 0 {
		t.Errorf("waits %v", left)
	}
}

func TestRefusalsAreSummedUp(t *testing.T) {
	s := newScene()
	if s.takeCounts(s.now) != nil {
		t.Fatal("nothing was refused, and there is a sum")
	}
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	s.countRefused(a, "alice")
	s.countRefused(b, "alice")
	s.countRefused(b, "")
	later := s.now.Add(time.Minute)
	r := s.takeCounts(later)
	if r == nil || r.attempts != 3 || r.unknown != 1 || len(r.addresses) != 2 || r.accounts["alice"] != 2 || !r.from.Equal(s.now) {
		t.Fatalf("%+v", r)
	}
	s.countRefused(a, "bob")
	s.addBack(r)
	r = s.takeCounts(later)
	if r.attempts != 4 || len(r.addresses) != 2 || r.accounts["alice"] != 2 || r.accounts["bob"] != 1 || !r.from.Equal(s.now) {
		t.Errorf("%+v", r)
	}
	for i := range 2 * maxAddresses {
		s.countRefused(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), string(rune('a'+i%26))+time.Duration(i).String())
	}
	if r = s.takeCounts(later); len(r.addresses) != maxAddresses || len(r.accounts) != maxAccounts || r.attempts != 2*maxAddresses {
		t.Errorf("%d addresses, %d accounts, %d attempts", len(r.addresses), len(r.accounts), r.attempts)
	}
}

package auth

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// Strangers who crowd in keep out only each other, and one network of them not
// even all of those.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		ctx, stop := context.WithCancel(t.Context())
		stranger := func(i int) caller {
			return caller{network: wideNetwork(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}))}
		}
		for i := range cap(q.shared) { // all places are taken
			if _, err := q.enter(ctx, stranger(i)); err != nil {
				t.Fatal(err)
			}
		}
		refused := 0
		ended := make(chan error, maxWaiting)
		wait := func(c caller) {
			go func() {
				_, err := q.enter(ctx, c)
				ended <- err
			}()
			synctest.Wait()
			select {
			case err := <-ended:
				if !errors.Is(err, errBusy) {
					t.Errorf("%v", err)
				}
				refused++
			default:
			}
		}
		for i := range 256 { // of one network
			wait(caller{network: wideNetwork(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))})
		}
		if refused != 256-maxWaitingNetwork {
			t.Errorf("%d of one network are refused", refused)
		}
		refused = 0
		for i := range maxWaiting {
			wait(stranger(i))
		}
		if refused != maxWaitingNetwork {
			t.Errorf("%d of other networks are refused", refused)
		}
		// Who is known comes in all the same, one after another.
		home := caller{wideNetwork(netip.MustParseAddr("192.0.2.1")), true, false}
		for range 3 {
			leave, err := q.enter(ctx, home)
			if err != nil {
				t.Fatal(err)
			}
			leave()
		}
		stop()
		for range maxWaiting {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		}
		if q.strangers.n != 0 || len(q.strangers.networks) != 0 || q.known.n != 0 {
			t.Errorf("%+v are left", q.strangers.networks)
		}
	})
}

func TestWideNetworks(t *testing.T) {
	for addr, want := range map[string]string{"192.0.2.77": "192.0.2.0/24", "2001:db8:1:2:3::4": "2001:db8:1::/48"} {
		if got := wideNetwork(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s is in %s", addr, got)
		}
	}
	if wideNetwork(netip.Addr{}).IsValid() {
		t.Error("a socket has a network")
	}
}

// A first attempt waits for other first attempts only, not for those who have failed.
// 250 networks that guess at the same time are served in turn with it.
func TestFirstAttemptsGetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		network := func(i int) netip.Prefix { return wideNetwork(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1})) }
		check := func(c caller) error {
			leave, err := q.enter(t.Context(), c)
			if err == nil {
				time.Sleep(50 * time.Millisecond) // about what a hash takes
				leave()
			}
			return err
		}
		for i := range 250 { // they have failed before, and guess again whenever they may
			go func() {
				for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(time.Second) {
					check(caller{network: network(i)})
				}
			}()
		}
		for i := range 250 { // and as many that have not failed yet
			go check(caller{network: network(1000 + i), new: true})
		}
		time.Sleep(20 * time.Second)
		for k := range 20 {
			begun := time.Now()
			if err := check(caller{network: network(5000 + k), new: true}); err != nil || time.Since(begun) > 200*time.Millisecond {
				t.Errorf("a first attempt: %v after %v", err, time.Since(begun))
			}
		}
		time.Sleep(2 * time.Minute)
	})
}

// Every place is for four lanes, and the memory of all places does not grow with the
// machine without end.
func TestSharedPlaces(t *testing.T) {
	for cores, want := range map[int]int{1: 1, 2: 1, 4: 1, 5: 2, 8: 2, 16: 4, 128: 4} {
		if got := sharedPlaces(cores); got != want {
			t.Errorf("%d cores have %d places, not %d", cores, got, want)
		}
	}
}

package budget

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/services/internal/access"
)

var (
	home  = netip.MustParseAddr("192.0.2.1")
	away  = netip.MustParseAddr("198.51.100.7")
	alice = access.Principal{Kind: access.User, ID: "1", Name: "alice"}
	bob   = access.Principal{Kind: access.User, ID: "2", Name: "bob"}
	root  = access.Principal{Kind: access.User, ID: "3", Name: "root", Admin: true}
)

func limits(c Config) *Limits {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return New(c)
}

// open opens a tab that is not refused, for an account unless p is nobody.
func open(t *testing.T, l *Limits, from netip.Addr, cost Cost, p access.Principal) *Tab {
	t.Helper()
	tab, err := l.Open(from, cost)
	if err == nil {
		err = tab.Account(p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// exceeded says what there was too much of, "" for nothing.
func exceeded(t *testing.T, err error) string {
	t.Helper()
	var e *ExceededError
	if errors.As(err, &e) {
		if e.RetryAfter < time.Second {
			t.Errorf("%v: try again after %v", err, e.RetryAfter)
		}
		return e.What
	}
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

// One network has so many requests at once, and so has one account wherever it
// comes from. Costly requests have a share. What is served makes room.
func TestRequestsAtOnce(t *testing.T) {
	l := limits(Config{AtOnce: 100})
	var tabs []*Tab
	for range 100 {
		tabs = append(tabs, open(t, l, home, Transfer, access.Nobody))
	}
	if _, err := l.Open(home, Transfer); !strings.Contains(exceeded(t, err), "too many transfer requests from your network") {
		t.Errorf("request 101: %v", err)
	}
	open(t, l, home, Read, access.Nobody)     // of another sort
	open(t, l, away, Transfer, access.Nobody) // of somebody else
	tabs[0].Close()
	open(t, l, home, Transfer, access.Nobody)

	for k := range 10 {
		open(t, l, netip.AddrFrom4([4]byte{10, 0, 0, byte(k)}), Search, alice)
	}
	tab, err := l.Open(away, Search)
	if err != nil {
		t.Fatal(err)
	}
	if err := tab.Account(alice); !strings.Contains(exceeded(t, err), "too many search requests of your account") {
		t.Errorf("the account's request 11: %v", err)
	}
	tab.Close()
	open(t, l, away, Search, bob).Close()
	if a, b := l.accounts.of(account{access.User, "1"}).atOnce[Search].Load(), l.networks.of(Network(away)).atOnce[Search].Load(); a != 10 || b != 0 {
		t.Errorf("%d of the account and %d of the network are counted", a, b)
	}
}

// The operator, requests without an address and limits that are off have no bounds.
func TestWithoutBounds(t *testing.T) {
	for what, open := range map[string]func() (*Tab, error){
		"the operator": func() (*Tab, error) {
			tab, err := limits(Config{AtOnce: 1, Memory: 1, LogBytes: 1}).Open(home, Heavy)
			return tab, errors.Join(err, tab.Account(access.Operates))
		},
		"a socket": func() (*Tab, error) {
			return limits(Config{AtOnce: 1, Memory: 1, LogBytes: 1}).Open(netip.Addr{}, Heavy)
		},
		"turned off": func() (*Tab, error) { return limits(Config{}).Open(home, Heavy) },
		"no tab":     func() (*Tab, error) { return nil, nil },
	} {
		tab, err := open()
		for range 10 {
			err = errors.Join(err, tab.Work(t.Context()), tab.Hold(1<<40), LogBytes(With(t.Context(), tab), 1<<40, false))
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		tab.Close()
	}
}

// Who waits for a place gets it in turn of the clients: one client's many
// requests do not keep another's one. The wait ends with the client.
func TestPlacesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(Config{AtOnce: 1000})
		l.gates[Heavy] = newGate(1)
		working := open(t, l, home, Heavy, alice)
		if err := working.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
		var order []string
		ask := func(ctx context.Context, p access.Principal, from netip.Addr) *Tab {
			tab := open(t, l, from, Heavy, p)
			go func() {
				if err := tab.Work(ctx); err == nil {
					order = append(order, p.Name)
				} else if !errors.Is(err, context.Canceled) {
					order = append(order, exceeded(t, err))
				}
				tab.Close()
			}()
			synctest.Wait()
			return tab
		}
		for range 4 {
			ask(t.Context(), alice, home)
		}
		ctx, leave := context.WithCancel(t.Context())
		ask(ctx, bob, home)
		ask(t.Context(), bob, home)
		ask(t.Context(), access.Nobody, away)
		leave()
		synctest.Wait()
		if len(order) != 0 {
			t.Fatalf("%v did not wait", order)
		}
		working.Answering() // the place is free when the answer begins
		synctest.Wait()
		if got := strings.Join(order, " "); got != "anonymous alice bob alice alice alice" && got != "alice anonymous bob alice alice alice" {
			t.Errorf("served in the order %s", got)
		}
		g := l.gates[Heavy]
		if working.Close(); g.taken != [2]int{} || len(g.lines[0])+len(g.lines[1]) > 0 {
			t.Errorf("%d places are taken, %d and %d clients wait", g.taken, len(g.lines[0]), len(g.lines[1]))
		}

		order = nil
		again := open(t, l, home, Heavy, alice)
		if err := again.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
		ask(t.Context(), bob, home)
		time.Sleep(maxWait + time.Second)
		if synctest.Wait(); len(order) != 1 || !strings.Contains(order[0], "too much to do") {
			t.Errorf("a wait without end: %v", order)
		}
		again.Close()
	})
}

// Requests without an account leave places to those that have one.
func TestPlacesForAccounts(t *testing.T) {
	g := newGate(8)
	for k := range 6 {
		if err := g.enter(t.Context(), &party{}, false); err != nil {
			t.Fatal(k, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.enter(gone, &party{}, false); !errors.Is(err, context.Canceled) {
		t.Errorf("a seventh of eight places: %v", err)
	}
	if err := g.enter(gone, &party{}, true); err != nil {
		t.Errorf("with an account: %v", err)
	}
}

// A request whose account is known only when it works gives back the place that it took.
func TestPlaceOfAnAccountThatIsKnownLater(t *testing.T) {
	l := limits(Config{AtOnce: 1000})
	l.gates[Heavy] = newGate(1)
	for range 3 {
		tab, err := l.Open(home, Heavy)
		if err == nil {
			err = errors.Join(tab.Work(t.Context()), tab.Account(alice))
		}
		if err != nil {
			t.Fatal(err)
		}
		if tab.Close(); l.gates[Heavy].taken != [2]int{} {
			t.Fatalf("%d places are taken", l.gates[Heavy].taken)
		}
	}
}

// Large bodies and answers are held within a bound for all, of which one client
// has a quarter. Small ones are not counted.
func TestMemory(t *testing.T) {
	l := limits(Config{AtOnce: 1000, Memory: 4 << 20})
	a := open(t, l, home, Write, alice)
	for _, n := range []int64{1 << 19, 1 << 19, free, free} {
		if err := a.Hold(n); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, l, away, Write, alice).Hold(1 << 19); !strings.Contains(exceeded(t, err), "your requests") {
		t.Errorf("more than a quarter: %v", err)
	}
	for k := range 3 {
		p := access.Principal{Kind: access.Robot, ID: fmt.Sprint(k)}
		if err := open(t, l, away, Write, p).Hold(1 << 20); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, l, home, Write, bob).Hold(1 << 19); !strings.Contains(exceeded(t, err), "requests and answers") {
		t.Errorf("more than all: %v", err)
	}
	a.Close()
	if err := open(t, l, home, Write, bob).Hold(1 << 20); err != nil {
		t.Errorf("after another was served: %v", err)
	}
}

// An account writes as many bytes to the log in a day as it may, half of them at
// once. What reduces rights, what administrators do and what nobody asked for is
// never refused. A warning names the account, once an hour.
func TestLogBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told strings.Builder
		l := limits(Config{LogBytes: 200_000, Logger: slog.New(slog.NewTextHandler(&told, nil))})
		write := func(p access.Principal, bytes int, must bool) error {
			tab := open(t, l, home, Write, p)
			defer tab.Close()
			return LogBytes(With(t.Context(), tab), bytes-overhead, must)
		}
		written := 0
		for range 48 * 60 {
			for write(alice, 1000, false) == nil {
				written += 1000
			}
			time.Sleep(time.Minute)
		}
		if written < 290_000 || written > 301_000 { // half at once and half of it a day
			t.Errorf("%d bytes in two days", written)
		}
		for write(alice, 1000, false) == nil {
		}
		if err := write(alice, 1000, false); !strings.Contains(exceeded(t, err), "as much to the log") {
			t.Error(err)
		}
		if err := errors.Join(write(alice, 1000, true), write(root, 1<<30, false), write(bob, 1000, false), LogBytes(t.Context(), 1<<30, false)); err != nil {
			t.Error(err)
		}
		// A single event may be larger than the budget, as a manifest of 4 MiB in a small one.
		if err := write(access.Principal{Kind: access.Robot, ID: "1", Name: "acme+ci"}, 1<<20, false); err != nil {
			t.Error(err)
		}
		if n := strings.Count(told.String(), "account=alice"); n < 40 || n > 49 {
			t.Errorf("alice was named %d times in 48 hours", n)
		}
	})
}

// So many changes at once, and then so many a second.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := open(t, limits(Default), home, Write, alice)
		n := 0
		for tab.Change() == nil {
			n++
		}
		if err := tab.Change(); n != changesAtOnce || !strings.Contains(exceeded(t, err), "too many changes") {
			t.Errorf("%d changes at once, then %v", n, err)
		}
		time.Sleep(10 * time.Second)
		for n = 0; tab.Change() == nil; n++ {
		}
		if n != 10*changesPerSecond {
			t.Errorf("%d changes in ten seconds", n)
		}
	})
}

// Clients are kept in bounded number. Those that use something are forgotten last.
func TestPartiesAreBounded(t *testing.T) {
	l := limits(Default)
	busy := l.networks.of(Network(home))
	busy.atOnce[Read].Add(1)
	for k := range 2 * shards * maxParties {
		l.networks.of(Network(netip.AddrFrom4([4]byte{10, byte(k >> 16), byte(k >> 8), byte(k)})))
	}
	n := 0
	l.networks.each(func(*party) { n++ })
	if n > shards*maxParties || n < shards*maxParties/2 || l.networks.of(Network(home)) != busy {
		t.Errorf("%d clients are kept, the busy one among them: %v", n, l.networks.of(Network(home)) == busy)
	}
}

func TestNetwork(t *testing.T) {
	for from, want := range map[string]string{"192.0.2.1": "192.0.2.1/32", "2001:db8:0:1::2": "2001:db8:0:1::/64"} {
		if got := Network(netip.MustParseAddr(from)).String(); got != want {
			t.Errorf("%s counts as %s", from, got)
		}
	}
}

func BenchmarkTab(b *testing.B) {
	l := New(Default)
	for b.Loop() {
		tab, err := l.Open(home, Read)
		if err != nil {
			b.Fatal(err)
		}
		tab.Account(alice)
		tab.Close()
	}
}

// What a request asks for in parts takes the places of those, if they are rarer than its
// own: by a page nobody gets more of the costly work done at once.
func TestPartsTakePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits(Config{AtOnce: 1000})
		l.gates[Heavy], l.gates[Read] = newGate(1), newGate(1)
		for _, cost := range []Cost{Heavy, Read} {
			if err := open(t, l, home, cost, bob).Work(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		page := open(t, l, home, List, alice)
		if err := page.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, cost := range []Cost{Light, Read, List, Write} {
			leave, err := page.Part(t.Context(), cost)
			if err != nil {
				t.Fatalf("%s: %v", cost, err)
			}
			leave()
		}
		if _, err := page.Part(t.Context(), Heavy); exceeded(t, err) == "" {
			t.Error("a page does heavy work while there is no place for it")
		}
		l.gates[Heavy].leave(true)
		leave, err := page.Part(t.Context(), Heavy)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, l, home, Write, alice).Part(t.Context(), Heavy); exceeded(t, err) == "" {
			t.Error("a part has no place")
		}
		inner, err := page.Part(t.Context(), Heavy) // such as of what the part asks for: it does not wait for itself
		if err != nil {
			t.Fatal("a part of a part: ", err)
		}
		if inner(); l.gates[Heavy].taken == [2]int{} {
			t.Error("the end of a part of a part has given the place of the part back")
		}
		leave()
		if leave, err = open(t, l, home, Light, access.Nobody).Part(t.Context(), Heavy); err != nil {
			t.Error(err)
		} else {
			leave()
		}
		if n := l.gates[Heavy].taken; n != [2]int{} {
			t.Errorf("places that were not given back: %v", n)
		}
		var none *Tab
		if _, err := none.Part(t.Context(), Heavy); err != nil {
			t.Error(err)
		}
	})
}

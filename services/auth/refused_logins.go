package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/origin"
)

// refusalsEvery is how long a stretch is that one event sums up.
const refusalsEvery = 5 * time.Minute

// Bounds of what one stretch tells apart, and of what its event lists.
const (
	maxAddresses   = 50_000
	maxAccounts    = 10_000
	maxListedNames = 100
)

// wrongPassword notes a failure.
func (s *Auth) wrongPassword(addr netip.Addr, name string, known bool, tried verifiedKey) error {
	account := ""
	if known {
		account = name
	}
	s.guard.refused(addr, account)
	s.guard.failed(addr, name, [16]byte(tried[:16]), time.Now())
	return errCredentials
}

// tooSoon notes an attempt that was not looked at.
func (s *Auth) tooSoon(ctx context.Context, r *http.Request, name string, wait time.Duration) error {
	account := ""
	if a, err := s.accountOf(ctx, name); err == nil && a != nil {
		account = a.Name
	}
	s.guard.refused(origin.Of(r).Addr, account)
	return throttled{wait}
}

// refuseSecret notes an access token that is not good; owner is "" when there
// is none. It returns why.
func (s *Auth) refuseSecret(r *http.Request, sum [sha256.Size]byte, owner string, why error) error {
	addr := origin.Of(r).Addr
	s.guard.refused(addr, owner)
	s.guard.failedSecret(addr, [16]byte(sum[:16]), time.Now())
	return why
}

// refusals sums up what was refused since some time.
type refusals struct {
	from      time.Time
	attempts  int64
	unknown   int64
	addresses map[netip.Prefix]struct{}
	accounts  map[string]int64 // by login names that exist, and nothing else that was typed
}

func newRefusals(from time.Time) *refusals {
	return &refusals{from: from, addresses: map[netip.Prefix]struct{}{}, accounts: map[string]int64{}}
}

// refused counts an attempt; account is "" when it was by no account's name.
func (g *guard) refused(addr netip.Addr, account string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.sums
	r.attempts++
	if len(r.addresses) < maxAddresses {
		r.addresses[network(addr)] = struct{}{}
	}
	if account == "" {
		r.unknown++
		return
	}
	if _, ok := r.accounts[account]; ok || len(r.accounts) < maxAccounts {
		r.accounts[account]++
	}
}

// take ends a stretch, and begins the next one; nil when nothing was refused.
func (g *guard) take(now time.Time) *refusals {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.sums
	g.sums = newRefusals(now)
	if r.attempts == 0 {
		return nil
	}
	return r
}

// giveBack adds a stretch that could not be written down to the present one.
func (g *guard) giveBack(r *refusals) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.sums
	now.from, now.attempts, now.unknown = r.from, now.attempts+r.attempts, now.unknown+r.unknown
	for a := range r.addresses {
		if len(now.addresses) < maxAddresses {
			now.addresses[a] = struct{}{}
		}
	}
	for name, n := range r.accounts {
		if _, ok := now.accounts[name]; ok || len(now.accounts) < maxAccounts {
			now.accounts[name] += n
		}
	}
}

// recordRefusals writes what was refused since the last time into the log.
func (s *Auth) recordRefusals(ctx context.Context) error {
	now := time.Now()
	r := s.guard.take(now)
	if r == nil {
		return nil
	}
	e := events.LoginsRefused{Node: s.Activity.Node(), From: r.from.UTC(), Until: now.UTC(), Attempts: r.attempts,
		Addresses: int64(len(r.addresses)), Unknown: r.unknown}
	for name, n := range r.accounts {
		e.Accounts = append(e.Accounts, events.RefusedAccount{Name: name, Attempts: n})
	}
	slices.SortFunc(e.Accounts, func(a, b events.RefusedAccount) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Name, b.Name))
	})
	e.Accounts = e.Accounts[:min(len(e.Accounts), maxListedNames)]
	_, err := command.Append(ctx, s.Log, system, e, events.AnySeq)
	if err != nil {
		s.guard.giveBack(r)
	}
	return err
}

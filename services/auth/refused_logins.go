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

// refusalsEvery is the period whose refused logins one event counts.
const refusalsEvery = 5 * time.Minute

// Bounds of what is counted separately in one period, and of the names in its event.
const (
	maxAddresses   = 50_000
	maxAccounts    = 10_000
	maxListedNames = 100
)

// refusePassword records a wrong password and returns errCredentials. known says
// whether the name is an account's.
func (s *Auth) refusePassword(addr netip.Addr, name string, known bool, tried verifiedKey) error {
	account := ""
	if known {
		account = name
	}
	s.backoff.countRefused(addr, account)
	s.backoff.failed(addr, name, [16]byte(tried[:16]), time.Now())
	return errCredentials
}

// refuseTooSoon records an attempt whose password was not checked, and returns
// how long to wait.
func (s *Auth) refuseTooSoon(ctx context.Context, r *http.Request, name string, wait time.Duration) error {
	account := ""
	if a, err := s.accountOf(ctx, name); err == nil && a != nil {
		account = a.Name
	}
	s.backoff.countRefused(origin.Of(r).Addr, account)
	return throttled{wait}
}

// refuseSecret records an access token that is not valid, and returns why; owner
// is "" when it belongs to no account.
func (s *Auth) refuseSecret(r *http.Request, sum [sha256.Size]byte, owner string, why error) error {
	addr := origin.Of(r).Addr
	s.backoff.countRefused(addr, owner)
	s.backoff.failedSecret(addr, [16]byte(sum[:16]), time.Now())
	return why
}

// refusalCounts counts the logins that were refused since a time.
type refusalCounts struct {
	from      time.Time
	attempts  int64
	unknown   int64
	addresses map[netip.Prefix]struct{}
	accounts  map[string]int64 // by existing login names only: people type passwords into the wrong field
}

func newRefusalCounts(from time.Time) *refusalCounts {
	return &refusalCounts{from: from, addresses: map[netip.Prefix]struct{}{}, accounts: map[string]int64{}}
}

// countRefused counts an attempt; account is "" when the name is no account's.
func (b *backoff) countRefused(addr netip.Addr, account string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.counts
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

// takeCounts ends a period and begins the next one. It returns nil when nothing
// was refused.
func (b *backoff) takeCounts(now time.Time) *refusalCounts {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.counts
	b.counts = newRefusalCounts(now)
	if r.attempts == 0 {
		return nil
	}
	return r
}

// addBack adds the counts of a period that could not be recorded to the present one.
func (b *backoff) addBack(r *refusalCounts) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.counts
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

// recordRefusals appends the logins that were refused since it last did so.
func (s *Auth) recordRefusals(ctx context.Context) error {
	now := time.Now()
	r := s.backoff.takeCounts(now)
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
		s.backoff.addBack(r)
	}
	return err
}

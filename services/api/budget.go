package api

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"hubledger/services/internal/access"
)

// What an account may change: every change is in the log for ever.
const (
	writesAtOnce    = 100
	writesPerSecond = 5
	// maxBudgets bounds the accounts that are kept account of.
	maxBudgets = 10_000
)

// A budget bounds how often each account writes.
type budget struct {
	mu       sync.Mutex
	accounts map[string]*rate.Limiter
}

func newBudget() *budget { return &budget{accounts: map[string]*rate.Limiter{}} }

// spend lets a request that changes something pass, or says when. To delete
// tags is free: each was pushed before, and scripts clean up hundreds.
func (s *API) spend(c *call, rt Route, now time.Time) error {
	if rt.Method == http.MethodDelete && rt.Permission == RepositoryDelete {
		return nil
	}
	return s.budget.spend(c, now)
}

// spend takes one write from an account, or says when there is one again.
// Administrators of the hub and its operator have as many as they like.
func (b *budget) spend(c *call, now time.Time) error {
	if c.p.Admin || c.p.Kind == access.Operator {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.accounts[c.account()]
	if !ok {
		b.makeRoom(now)
		l = rate.NewLimiter(writesPerSecond, writesAtOnce)
		b.accounts[c.account()] = l
	}
	if l.AllowN(now, 1) {
		return nil
	}
	missing := 1 - l.TokensAt(now)
	return fail(http.StatusTooManyRequests, "too many changes by this account: wait a little").
		retryAfter(time.Duration(missing / writesPerSecond * float64(time.Second)))
}

// makeRoom forgets accounts that have not written for a while, as they have all
// to spend again; failing these, any one.
func (b *budget) makeRoom(now time.Time) {
	if len(b.accounts) < maxBudgets {
		return
	}
	var any string
	for account, l := range b.accounts {
		if any = account; l.TokensAt(now) >= writesAtOnce {
			delete(b.accounts, account)
		}
	}
	if len(b.accounts) >= maxBudgets {
		delete(b.accounts, any)
	}
}

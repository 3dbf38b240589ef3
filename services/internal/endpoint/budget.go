package endpoint

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"hubledger/services/internal/access"
	"hubledger/services/internal/service"
)

// How many changes an account may make: every change is in the log for ever.
const (
	writesAtOnce    = 100
	writesPerSecond = 5
	// maxBudgets bounds the accounts whose budgets are kept in memory.
	maxBudgets = 10_000
)

// A budget bounds how often each account writes.
type budget struct {
	mu       sync.Mutex
	accounts map[string]*rate.Limiter
}

func newBudget() *budget { return &budget{accounts: map[string]*rate.Limiter{}} }

// takeFromBudget takes one write from the budget of the call's account, or says
// when to try again. Deleting tags is free: each was pushed before, and scripts
// delete hundreds.
func (s *Set) takeFromBudget(c *Call, rt service.Route, now time.Time) error {
	if rt.Method == http.MethodDelete && rt.Permission == access.RepositoryDelete {
		return nil
	}
	return s.budget.take(c, now)
}

// take takes one write from an account's budget, or says when to try again.
// Administrators of the hub and its operator have no limit.
func (b *budget) take(c *Call, now time.Time) error {
	if c.Principal.Admin || c.Principal.Kind == access.Operator {
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
	return Fail(http.StatusTooManyRequests, "too many changes by this account: wait a little").
		RetryAfter(time.Duration(missing / writesPerSecond * float64(time.Second)))
}

// makeRoom forgets accounts that have not written for a while, whose budget is
// whole again; if there are none, any one.
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

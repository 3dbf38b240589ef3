// Package refusals counts what the registry has refused to accounts that it knows, so
// that owners of a repository and the person can find out why. Whoever is refused could
// otherwise fill the log, which is kept for ever: so refusals of the same kind are one event,
// at most once an hour, and what is counted and written is bounded for each account.
package refusals

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"hubledger/events"
)

// Bounds of one node. What is beyond them is not counted.
const (
	apart     = time.Hour // between two events of the same kind
	maxKinds  = 10_000    // that are counted at the same time
	maxOf     = 20        // kinds of one account in an hour
	maxAtOnce = 100       // events of one Write
)

// A kind is what is counted together.
type kind struct{ account, repository, action, reason string }

// A Counter counts refusals. Its zero value is ready.
type Counter struct {
	mu      sync.Mutex
	counts  map[kind]*events.RefusalsCounted
	written map[kind]time.Time // of kinds that were written in the last hour
	of      map[string]int     // kinds of each account in counts and written
}

// Count counts one refusal at a time; of e only the names and reasons are looked at.
func (c *Counter) Count(e events.RefusalsCounted, now time.Time) {
	k := kind{e.Account, e.Repository, e.Action, e.Reason}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts, c.written, c.of = map[kind]*events.RefusalsCounted{}, map[kind]time.Time{}, map[string]int{}
	}
	known := c.counts[k]
	if known == nil {
		if _, lately := c.written[k]; !lately {
			if len(c.counts)+len(c.written) >= maxKinds || c.of[e.Account] >= maxOf {
				return
			}
			c.of[e.Account]++
		}
		e.From, e.Attempts = now.UTC(), 0
		known = &e
		c.counts[k] = known
	}
	known.Attempts++
	known.Until, known.Visible = now.UTC(), e.Visible
}

// Write hands over what is to be written now, the oldest first. What append refuses is
// kept for the next time.
func (c *Counter) Write(ctx context.Context, now time.Time, append func(ctx context.Context, e events.RefusalsCounted) error) error {
	for _, e := range c.due(now) {
		if err := append(ctx, e); err != nil {
			return err
		}
		c.done(e, now)
	}
	return nil
}

func (c *Counter) due(now time.Time) (list []events.RefusalsCounted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, at := range c.written {
		if now.Sub(at) < apart {
			continue
		}
		delete(c.written, k)
		if c.counts[k] == nil {
			c.left(k.account)
		}
	}
	for k, e := range c.counts {
		if _, lately := c.written[k]; !lately {
			list = append(list, *e)
		}
	}
	slices.SortFunc(list, func(a, b events.RefusalsCounted) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Action+a.Reason, b.Action+b.Reason))
	})
	return list[:min(len(list), maxAtOnce)]
}

// done takes off what was written; refusals that came meanwhile stay.
func (c *Counter) done(e events.RefusalsCounted, now time.Time) {
	k := kind{e.Account, e.Repository, e.Action, e.Reason}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written[k] = now
	if left := c.counts[k]; left.Attempts > e.Attempts {
		left.From, left.Attempts = e.Until, left.Attempts-e.Attempts
	} else {
		delete(c.counts, k)
	}
}

func (c *Counter) left(account string) {
	if c.of[account]--; c.of[account] <= 0 {
		delete(c.of, account)
	}
}

package budget

import (
	"context"
	"fmt"
	"time"
)

// How many changes an account makes through the API: every change is in the log
// for ever, and each waits for the disk.
const (
	changesAtOnce    = 100
	changesPerSecond = 5
)

// Change takes one change from the account's budget. Administrators of the hub have
// no bound. *ExceededError.
func (t *Tab) Change() error {
	if t == nil || t.unlimited || t.admin || t.account == nil {
		return nil
	}
	t.account.mu.Lock()
	defer t.account.mu.Unlock()
	if after, ok := t.account.changes.spend(time.Now(), 1, changesAtOnce, changesPerSecond, false); !ok {
		return &ExceededError{"too many changes by this account", after}
	}
	return nil
}

// How many login tokens an account gets: each is an event, and two when it replaces
// another.
const (
	loginsAtOnce    = 30
	loginsPerSecond = 1.0 / 60
)

// LoginToken says whether the account gets a login token now, and counts it. A
// client that gets none keeps the password, so nobody is refused for it.
func (t *Tab) LoginToken() bool {
	if t == nil || t.unlimited || t.account == nil {
		return true
	}
	t.account.mu.Lock()
	defer t.account.mu.Unlock()
	_, ok := t.account.logins.spend(time.Now(), 1, loginsAtOnce, loginsPerSecond, false)
	return ok
}

// overhead is what an event costs beside its own bytes: its place in the log's
// index and its rows in the read models.
const overhead = 512

// LogBytes takes the bytes of an event from the budget of the account whose request
// it is in ctx. What nobody asks for, and what an administrator of the hub does, is
// counted but never refused; nor is what must is true for: events that reduce
// rights or free space. *ExceededError.
func LogBytes(ctx context.Context, bytes int, must bool) error {
	t := Of(ctx)
	if t == nil {
		return nil
	}
	t.wrote = true
	if t.account == nil {
		return nil
	}
	return t.limits.spendLog(t.account, float64(bytes+overhead), must || t.admin || t.unlimited)
}

// Wrote says whether the request has written to the log, or tried to. Of a request without
// bounds nobody knows: it counts as one that has.
func (t *Tab) Wrote() bool { return t == nil || t.wrote }

// day is what Config.LogBytes is for, in seconds.
const day = 24 * 60 * 60

func (l *Limits) spendLog(p *party, bytes float64, force bool) error {
	now, half := time.Now(), float64(l.LogBytes)/2
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.LogBytes > 0 {
		after, ok := p.log.spend(now, bytes, half, half/day, force)
		if p.log.spent > half/2 && now.Sub(p.warned) > time.Hour {
			p.warned = now
			l.Logger.Warn("an account writes much to the log, which is kept for ever; --log-budget bounds it", "account", *p.name.Load(),
				"bytes", p.written, "used", fmt.Sprintf("%.0f %% of what it may write at once", min(100, 100*p.log.spent/half)))
		}
		if !ok {
			return &ExceededError{"this account has written as much to the log as it may in a day", after}
		}
	}
	p.written += int64(bytes)
	return nil
}

package registry

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/internal/origin"
)

// PullLimits bounds how many manifests are fetched by GET in a window of time,
// by each account and, without one, by each client address; an IPv6 address
// counts with its /64. What was counted is in the memory of one node only.
type PullLimits struct {
	Anonymous int           // by address; 0 for no limit
	User      int           // by user or robot account; 0 for no limit
	Window    time.Duration // default 6 h
}

// maxLimited bounds whose pulls are counted at once. Beyond it somebody's
// count is forgotten: a limit is there to be fair, not to keep a secret.
const maxLimited = 100_000

// A limiter counts in fixed windows: one begins with the first pull after the
// last has ended, and all of its pulls are free again at its end.
type limiter struct {
	PullLimits
	mu     sync.Mutex
	counts map[limited]pullWindow
}

// limited is who is counted: an account by its id, or an address.
type limited struct {
	id   string
	addr netip.Prefix
}

type pullWindow struct {
	ends time.Time
	n    int
}

// newLimiter is nil when there are no limits.
func newLimiter(c PullLimits) *limiter {
	if c.Anonymous <= 0 && c.User <= 0 {
		return nil
	}
	if c.Window <= 0 {
		c.Window = 6 * time.Hour
	}
	return &limiter{PullLimits: c, counts: map[limited]pullWindow{}}
}

// of is who a request counts for and how often they may pull; 0 is as often as
// they like.
func (l *limiter) of(r *http.Request, who access.Principal) (key limited, source string, limit int) {
	switch who.Kind {
	case access.Operator:
		return limited{}, "", 0
	case access.Anonymous:
		addr := origin.Of(r).Addr
		bits := addr.BitLen()
		if addr.Is6() {
			bits = 64
		}
		prefix, err := addr.Prefix(bits) // an error is an address that is not known: all of those share one count
		if err != nil {
			return limited{}, "unknown", l.Anonymous
		}
		return limited{addr: prefix}, addr.WithZone("").String(), l.Anonymous
	}
	return limited{id: who.ID}, who.ID, l.User
}

// pull counts a GET and says in the headers what is left, as Docker Hub does.
// A HEAD is told, but neither counted nor refused.
func (l *limiter) pull(h http.Header, r *http.Request, who access.Principal) error {
	key, source, limit := l.of(r, who)
	if limit <= 0 {
		return nil
	}
	w, ok := l.count(key, limit, r.Method == http.MethodGet)
	window := ";w=" + strconv.FormatInt(int64(l.Window/time.Second), 10)
	h["Ratelimit-Limit"] = []string{strconv.Itoa(limit) + window}
	h["Ratelimit-Remaining"] = []string{strconv.Itoa(max(limit-w.n, 0)) + window}
	h["Docker-Ratelimit-Source"] = []string{source}
	if ok {
		return nil
	}
	p := fail(http.StatusTooManyRequests, "TOOMANYREQUESTS", fmt.Sprintf("you have reached your pull limit of %d in %s", limit, l.Window))
	p.retryAfter = max(time.Until(w.ends), time.Second)
	return p
}

// count is false when the limit was reached before; the pull does not count then.
func (l *limiter) count(key limited, limit int, counts bool) (pullWindow, bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.counts[key]
	if !w.ends.After(now) {
		w = pullWindow{ends: now.Add(l.Window)}
	}
	if !counts {
		return w, true
	}
	if w.n >= limit {
		return w, false
	}
	if w.n++; w.n == 1 && len(l.counts) >= maxLimited {
		l.forget(now)
	}
	l.counts[key] = w
	return w, true
}

// forget makes room: of the windows that have ended, or of any one.
func (l *limiter) forget(now time.Time) {
	for key, w := range l.counts {
		if !w.ends.After(now) {
			delete(l.counts, key)
		}
	}
	for key := range l.counts {
		if len(l.counts) < maxLimited {
			return
		}
		delete(l.counts, key)
	}
}

// Package pulllimit bounds how often an account or an address pulls.
package pulllimit

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

// Config bounds how many manifests are fetched by GET in a window of time, by
// each account and, without one, by each client address; an IPv6 address counts
// with its /64. What was counted is in the memory of one node only.
type Config struct {
	Anonymous int           // by address; 0 for no limit
	User      int           // by user or robot account; 0 for no limit
	Window    time.Duration // default 6 h
}

// maxPullers bounds whose pulls are counted at once. Beyond it somebody's count
// is forgotten: the limit is there to be fair and protects nothing.
const maxPullers = 100_000

// A Limiter counts in fixed windows: one begins with the first pull after the
// last has ended, and its end sets the count to 0.
type Limiter struct {
	Config
	mu      sync.Mutex
	windows map[puller]window
}

// A puller is who is counted: an account by its id, or an address.
type puller struct {
	id   string
	addr netip.Prefix
}

type window struct {
	ends time.Time
	n    int
}

// New is nil when there are no limits; a nil Limiter limits nothing.
func New(c Config) *Limiter {
	if c.Anonymous <= 0 && c.User <= 0 {
		return nil
	}
	if c.Window <= 0 {
		c.Window = 6 * time.Hour
	}
	return &Limiter{Config: c, windows: map[puller]window{}}
}

// of is who a request counts for, what to call them in a header, and how often
// they may pull; 0 is no limit.
func (l *Limiter) of(r *http.Request, who access.Principal) (key puller, source string, limit int) {
	switch who.Kind {
	case access.Operator:
		return puller{}, "", 0
	case access.Anonymous:
		addr := origin.Of(r).Addr
		bits := addr.BitLen()
		if addr.Is6() {
			bits = 64
		}
		prefix, err := addr.Prefix(bits) // an error is an address that is not known: all of those share one count
		if err != nil {
			return puller{}, "unknown", l.Anonymous
		}
		return puller{addr: prefix}, addr.WithZone("").String(), l.Anonymous
	}
	return puller{id: who.ID}, who.ID, l.User
}

// An ExceededError refuses a pull beyond the limit.
type ExceededError struct {
	Limit      int
	Window     time.Duration
	RetryAfter time.Duration // at least a second
}

func (e *ExceededError) Error() string {
	return fmt.Sprintf("you have reached your pull limit of %d in %s", e.Limit, e.Window)
}

// Pull counts a GET and says in the headers what is left, as Docker Hub does. A
// HEAD gets the headers, but is neither counted nor refused. *ExceededError.
func (l *Limiter) Pull(h http.Header, r *http.Request, who access.Principal) error {
	if l == nil {
		return nil
	}
	key, source, limit := l.of(r, who)
	if limit <= 0 {
		return nil
	}
	w, ok := l.count(key, limit, r.Method == http.MethodGet)
	suffix := ";w=" + strconv.FormatInt(int64(l.Window/time.Second), 10)
	h["Ratelimit-Limit"] = []string{strconv.Itoa(limit) + suffix}
	h["Ratelimit-Remaining"] = []string{strconv.Itoa(max(limit-w.n, 0)) + suffix}
	h["Docker-Ratelimit-Source"] = []string{source}
	if ok {
		return nil
	}
	return &ExceededError{Limit: limit, Window: l.Window, RetryAfter: max(time.Until(w.ends), time.Second)}
}

// count is false when the limit was reached before; the pull does not count
// then. With pulls false it only looks.
func (l *Limiter) count(key puller, limit int, pulls bool) (window, bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[key]
	if !w.ends.After(now) {
		w = window{ends: now.Add(l.Window)}
	}
	if !pulls {
		return w, true
	}
	if w.n >= limit {
		return w, false
	}
	if w.n++; w.n == 1 && len(l.windows) >= maxPullers {
		l.forget(now)
	}
	l.windows[key] = w
	return w, true
}

// forget makes room for one window: it drops those that have ended or, when
// there are none, any one.
func (l *Limiter) forget(now time.Time) {
	for key, w := range l.windows {
		if !w.ends.After(now) {
			delete(l.windows, key)
		}
	}
	for key := range l.windows {
		if len(l.windows) < maxPullers {
			return
		}
		delete(l.windows, key)
	}
}

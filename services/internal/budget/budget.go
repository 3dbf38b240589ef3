// Package budget bounds what one client takes of the hub: work at the same time,
// memory, changes, and bytes of the log. Clients are counted by network, before it
// is known who they are, and by account from then on. Every endpoint declares its
// Cost; the router opens a Tab for each request, and what the request uses is
// charged to it. The operator has no bounds.
package budget

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"hubledger/services/internal/access"
)

// Config has the bounds. 0 turns one off.
type Config struct {
	// AtOnce is how many requests of one account, or of one network, may be served
	// or wait at the same time. Costly ones have a share of it; see Cost.
	AtOnce int
	// Memory bounds the large request bodies and answers that are held for all clients,
	// in bytes. One client may hold a quarter of it.
	Memory int64
	// LogBytes is how much one account may write to the log in 24 hours, half of it
	// at once. Administrators of the hub have no such bound.
	LogBytes int64
	// Logger gets a warning when an account has used half of its LogBytes. Default
	// slog.Default.
	Logger *slog.Logger
}

// Default is what a hub has when nothing else is asked for.
var Default = Config{AtOnce: 1000, Memory: 256 << 20, LogBytes: 1 << 30}

// Limits are the bounds of one node, and who has used how much.
type Limits struct {
	Config
	most     [costs]int32 // of one party
	gates    [costs]*gate
	networks parties[netip.Prefix]
	accounts parties[account]
	held     atomic.Int64 // of Memory
}

// New makes the limits of a node.
func New(c Config) *Limits {
	c.Logger = cmp.Or(c.Logger, slog.Default())
	l := &Limits{Config: c}
	for k, class := range classes {
		if class.places > 0 && c.AtOnce > 0 {
			l.gates[k] = newGate(class.places)
		}
		l.most[k] = int32(max(1, class.share*float64(c.AtOnce)))
	}
	return l
}

// An account is known by its kind and id.
type account struct {
	kind access.Kind
	id   string
}

// An ExceededError refuses what would be too much for one client.
type ExceededError struct {
	What       string // there is too much of, for people
	RetryAfter time.Duration
}

func (e *ExceededError) Error() string { return e.What + ": try again a little later" }

// Network is what an address is counted by: one IPv4 address, or an IPv6 network of
// 64 bits. The zero Prefix is no address, as that of a socket.
func Network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Open opens the tab of a request from an address. Without an address there is no
// tab, which is nil and has no bounds. Close it when the request is served.
// *ExceededError.
func (l *Limits) Open(from netip.Addr, cost Cost) (*Tab, error) {
	if !from.IsValid() {
		return nil, nil
	}
	t := &Tab{limits: l, cost: cost, network: l.networks.of(Network(from))}
	if !l.enter(t.network, cost) {
		return nil, &ExceededError{fmt.Sprintf("too many %s requests from your network at once", cost), time.Second}
	}
	return t, nil
}

// enter counts a request as being served; false when there are too many.
func (l *Limits) enter(p *party, cost Cost) bool {
	if p.atOnce[cost].Add(1) <= l.most[cost] || l.AtOnce <= 0 {
		return true
	}
	p.atOnce[cost].Add(-1)
	return false
}

// Account charges the rest of a request to the account that makes it. A request
// without an account stays charged to its network only. *ExceededError.
func (t *Tab) Account(p access.Principal) error {
	switch {
	case t == nil || p.Kind == access.Anonymous || t.account != nil:
		return nil
	case p.Kind == access.Operator:
		t.unlimited = true
		return nil
	}
	a := t.limits.accounts.of(account{p.Kind, p.ID})
	if a.name.Load() == nil {
		name := p.Name
		a.name.Store(&name)
	}
	if !t.limits.enter(a, t.cost) {
		return &ExceededError{fmt.Sprintf("too many %s requests of your account at once", t.cost), time.Second}
	}
	t.account, t.admin = a, p.Admin
	return nil
}

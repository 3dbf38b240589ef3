// Package connections bounds the connections of an HTTP server, in all and by network,
// and ends answers that are not read.
package connections

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"

	"hubledger/services/internal/budget"
)

// maxOpen bounds the connections of a node that may open very many files.
const maxOpen = 20_000

// Limit is how many connections a node takes: half of the files that it
// may have open, so that the other half is there for blobs and stores.
func Limit() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return maxOpen
	}
	return int(max(16, min(files.Cur/2, maxOpen)))
}

// Config has the bounds.
type Config struct {
	Most, ByNetwork int // 0 for no bound
	// Uncounted says of an address that it is not counted by network: a proxy's, or
	// this machine's.
	Uncounted func(netip.Addr) bool
	Logger    *slog.Logger
}

// A Listener accepts a bounded number of connections. Beyond a bound, the connection
// closes that has waited longest for a request; if none waits, the new one.
type Listener struct {
	net.Listener
	Config

	mu       sync.Mutex
	open     map[*connection]struct{}
	networks map[netip.Prefix]int
	// waiting are the connections without a request, oldest first.
	first, last *connection
}

// New bounds the connections of a listener. The http.Server that serves it has State as
// its ConnState.
func New(of net.Listener, c Config) *Listener {
	return &Listener{Listener: of, Config: c, open: map[*connection]struct{}{}, networks: map[netip.Prefix]int{}}
}

// Accept is of net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &connection{Conn: raw, of: l}
		if at, err := netip.ParseAddrPort(raw.RemoteAddr().String()); err == nil {
			if from := at.Addr().Unmap(); !l.Uncounted(from) {
				c.network = budget.Network(from)
			}
		}
		if l.admit(c) {
			return c, nil
		}
		raw.Close()
		l.Logger.Warn("a connection was closed at once: there are too many", "from", raw.RemoteAddr())
	}
}

// admit counts a connection; false when there is no room for it.
func (l *Listener) admit(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.network.IsValid() && l.ByNetwork > 0 && l.networks[c.network] >= l.ByNetwork && !l.closeWaiting(c.network) {
		return false
	}
	if l.Most > 0 && len(l.open) >= l.Most && !l.closeWaiting(netip.Prefix{}) {
		return false
	}
	l.open[c] = struct{}{}
	if c.network.IsValid() {
		l.networks[c.network]++
	}
	l.wait(c)
	return true
}

// closeWaiting closes the connection that has waited longest for a request, of a
// network or, for the zero Prefix, of all.
func (l *Listener) closeWaiting(of netip.Prefix) bool {
	for c := l.first; c != nil; c = c.next {
		if !of.IsValid() || c.network == of {
			l.drop(c)
			go c.Conn.Close() // which may wait for the client
			return true
		}
	}
	return false
}

// drop stops counting a connection.
func (l *Listener) drop(c *connection) {
	if _, ok := l.open[c]; !ok {
		return
	}
	delete(l.open, c)
	l.busy(c)
	if c.network.IsValid() {
		if l.networks[c.network]--; l.networks[c.network] == 0 {
			delete(l.networks, c.network)
		}
	}
}

// wait puts a connection behind those that wait for a request.
func (l *Listener) wait(c *connection) {
	if c.waits {
		return
	}
	c.waits, c.before, c.next = true, l.last, nil
	if l.last != nil {
		l.last.next = c
	} else {
		l.first = c
	}
	l.last = c
}

// busy takes a connection out of those that wait for a request.
func (l *Listener) busy(c *connection) {
	if !c.waits {
		return
	}
	c.waits = false
	if c.before != nil {
		c.before.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.before = c.before
	} else {
		l.last = c.before
	}
	c.before, c.next = nil, nil
}

// State follows what an http.Server does with a connection; see its ConnState.
func (l *Listener) State(conn net.Conn, s http.ConnState) {
	c := connectionOf(conn)
	if c == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.open[c]; !ok {
		return // closed to make room
	}
	switch s {
	case http.StateIdle:
		l.wait(c)
	case http.StateActive:
		l.busy(c)
	}
}

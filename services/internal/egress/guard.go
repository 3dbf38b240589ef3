// Package egress guards connections to addresses that people name, such as git
// hosts: they may not lead into the hub's own network.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrForbidden: the address belongs to the hub's own network, and the operator has
// not allowed the host.
var ErrForbidden = errors.New("forbidden address")

const dialTimeout = 10 * time.Second

// A Guard connects to public addresses, and to the hosts that the operator allows.
// It judges the address that is connected to, whatever name led there and whenever
// the name was looked up. Its zero value allows public addresses only.
type Guard struct {
	allowed []allowedHost
	own     func() ([]net.Addr, error) // nil: net.InterfaceAddrs
}

// An allowedHost is a host that may have any address: a name, or addresses.
type allowedHost struct {
	name  string
	block netip.Prefix // instead of a name
	port  uint16       // 0: any
}

// NewGuard allows hosts, besides public addresses: each is a name, an address, or
// a block of addresses (10.1.0.0/16), and all but the last may have a port behind
// a colon. The error says which one is none of these.
func NewGuard(hosts []string) (*Guard, error) {
	g := &Guard{}
	for _, h := range hosts {
		a, err := parseAllowed(h)
		if err != nil {
			return nil, err
		}
		g.allowed = append(g.allowed, a)
	}
	return g, nil
}

func parseAllowed(text string) (a allowedHost, err error) {
	if block, err := netip.ParsePrefix(text); err == nil {
		return allowedHost{block: block.Masked()}, nil
	}
	host := text
	if h, port, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return a, fmt.Errorf("%q: a port is a number from 1 to 65535", text)
		}
		host, a.port = h, uint16(n)
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		a.block = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		return a, nil
	}
	if a.name = canonical(host); a.name == "" || strings.ContainsAny(a.name, ":/@*? ") {
		return a, fmt.Errorf("%q is no host: write a name, an address, or a block of addresses such as 10.1.0.0/16", text)
	}
	return a, nil
}

// canonical is a host name as it is compared.
func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// DialContext connects as net.Dialer does. ErrForbidden.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialTimeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return g.judge(host, to)
	}}
	return d.DialContext(ctx, network, address)
}

// judge says whether the address that a host name led to may be connected to.
func (g *Guard) judge(host string, to netip.AddrPort) error {
	addr := to.Addr().Unmap()
	for _, a := range g.allowed {
		if a.port != 0 && a.port != to.Port() {
			continue
		}
		if a.name != "" && a.name == canonical(host) || a.block.IsValid() && a.block.Contains(addr.WithZone("")) {
			return nil
		}
	}
	if !Public(addr) || g.isOwn(addr) {
		what := host + " is " + addr.String() + ", which is"
		if host == addr.String() {
			what = host + " is"
		}
		return fmt.Errorf("%w: %s not a public address; whoever operates the machine that connects (the hub, or the builder) can allow it with its own --allow-hosts %s", ErrForbidden, what, host)
	}
	return nil
}

// isOwn says whether an address is one of this machine's. When they cannot be
// listed, every address may be one.
func (g *Guard) isOwn(addr netip.Addr) bool {
	list := g.own
	if list == nil {
		list = net.InterfaceAddrs
	}
	addrs, err := list()
	if err != nil {
		return true
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == addr {
			return true
		}
	}
	return false
}

package origin

import (
	"cmp"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Config says by which URL clients reach the hub, and which proxies are trusted.
type Config struct {
	// PublicURL is the base of the hub's URLs for every client (--public-url,
	// see ParsePublicURL). nil: the URL that each request shows.
	PublicURL *url.URL
	// Trusted are the addresses of proxies (--trusted-proxies, see
	// ParseTrusted). Forwarded headers of other connections are ignored.
	Trusted []netip.Prefix
	// Logger gets one warning when forwarded headers are ignored. nil: no warning.
	Logger *slog.Logger
}

// Handler works out the origin of each request, which Of returns, and hands the
// request to next. It refuses a request from a trusted proxy that has both
// families of forwarded headers, because one of them must come from the client.
func Handler(c Config, next http.Handler) http.Handler {
	var told sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x, rfc := families(r.Header); x || rfc {
			switch trusted := c.trusts(peer(r)); {
			case trusted && x && rfc:
				http.Error(w, "the request has both X-Forwarded-… and Forwarded headers: a proxy must remove those that it does not set", http.StatusBadRequest)
				return
			case !trusted && c.Logger != nil:
				told.Do(func() {
					c.Logger.Warn("forwarded headers are ignored; if your own proxy sent them, name it with --trusted-proxies", "from", peer(r))
				})
			}
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), c.of(r))))
	})
}

// Forwarded says whether a request has any of the headers that proxies add.
func Forwarded(h http.Header) bool {
	x, rfc := families(h)
	return x || rfc
}

// families says which forwarded headers a request has: X-Forwarded-…, or
// Forwarded (RFC 7239).
func families(h http.Header) (x, rfc bool) {
	return len(h["X-Forwarded-For"])+len(h["X-Forwarded-Proto"])+len(h["X-Forwarded-Host"])+len(h["X-Forwarded-Port"]) > 0, len(h["Forwarded"]) > 0
}

// peer is the address of the connection.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(at.Addr())
}

// of is the origin of a request: that of its connection, replaced by what a
// trusted proxy forwards, replaced by the public URL.
func (c Config) of(r *http.Request) Origin {
	o := Origin{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		o.Scheme = "https"
	}
	o.Addr = peer(r)
	if c.trusts(o.Addr) {
		o = c.forwarded(o, r.Header)
	}
	if c.PublicURL != nil {
		o.Scheme, o.Host = c.PublicURL.Scheme, c.PublicURL.Host
	}
	if !validHost(o.Host) {
		o.Host = localHost(r)
	}
	return o
}

// forwarded is o, replaced by what trusted proxies forward, in whichever family
// of headers the request has. The hop that decides the address decides the
// scheme and the host, too.
func (c Config) forwarded(o Origin, h http.Header) Origin {
	hops, protos, hosts, ports := h["X-Forwarded-For"], h["X-Forwarded-Proto"], h["X-Forwarded-Host"], h["X-Forwarded-Port"]
	if x, _ := families(h); !x {
		hops, protos, hosts = elements(h["Forwarded"])
	}
	var hop int
	o.Addr, hop = c.client(o.Addr, hops)
	o.Scheme = strings.ToLower(cmp.Or(said(protos, hop, validScheme), o.Scheme))
	o.Host = withPort(cmp.Or(said(hosts, hop, validHost), o.Host), said(ports, hop, validPort))
	return o
}

// client walks back along the chain of proxies, from the one that is connected,
// at addr: each trusted proxy vouches for the address before its own. The walk
// ends at the first address that is not trusted, or when the next one cannot be
// read. hop counts the proxies of the walk: 1 is the one that is connected.
func (c Config) client(addr netip.Addr, lines []string) (client netip.Addr, hop int) {
	for value := range backwards(lines) {
		hop++
		before, ok := parseHop(value)
		if !ok {
			break
		}
		if addr = before; !c.trusts(addr) {
			break
		}
	}
	return addr, max(hop, 1)
}

// said is the valid value of the farthest proxy that gives one, up to the hop
// that decides; "" if none does. A proxy that passes a header on without adding
// to it agrees with the one before.
func said(lines []string, hop int, valid func(string) bool) (value string) {
	for v := range backwards(lines) {
		if v = strings.TrimSpace(v); valid(v) {
			value = v
		}
		if hop--; hop == 0 {
			break
		}
	}
	return value
}

// backwards yields the values of a header that is a list, the nearest proxy's first.
func backwards(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for end := len(line); end >= 0; {
				start := strings.LastIndexByte(line[:end], ',')
				if !yield(line[start+1 : end]) {
					return
				}
				end = start
			}
		}
	}
}

func (c Config) trusts(a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(c.Trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseHop reads an address as proxies write it: with or without a port.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if at, err := netip.ParseAddrPort(s); err == nil {
		return plain(at.Addr()), true
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		s, _ = strings.CutSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(s)
	return plain(a), err == nil
}

// plain normalizes an address, so that addresses can be compared.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// localHost is the address at which the request arrived. It stands in for a Host
// that is missing or invalid.
func localHost(r *http.Request) string {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && validHost(a.String()) {
		return a.String()
	}
	return "localhost"
}

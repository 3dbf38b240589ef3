package origin

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Config says by which name the hub is reached, and whose word counts for it.
type Config struct {
	// PublicURL is the base of the hub's URLs for every client (--public-url,
	// see ParsePublicURL). nil: that of the request.
	PublicURL *url.URL
	// Trusted are the addresses of proxies (--trusted-proxies, see
	// ParseTrusted). Forwarded headers of other connections are not looked at.
	Trusted []netip.Prefix
}

// Handler notes the origin of each request, for Of, and hands it to next.
func Handler(c Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(With(r.Context(), c.of(r))))
	})
}

// of is the origin of a request: its connection's, then what a trusted proxy
// says of the connection it has, then the public URL.
func (c Config) of(r *http.Request) Origin {
	o := Origin{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		o.Scheme = "https"
	}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		o.Addr = plain(at.Addr())
	}
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

// forwarded is what a trusted proxy adds to o. Of the two families of headers
// only one counts, X-Forwarded-… if its address is there: a proxy that writes
// one passes the other one on as the client sent it.
func (c Config) forwarded(o Origin, h http.Header) Origin {
	hops, proto, host := h.Values("X-Forwarded-For"), last(h.Values("X-Forwarded-Proto")), last(h.Values("X-Forwarded-Host"))
	if len(hops) == 0 && proto == "" && host == "" {
		hops, proto, host = elements(h.Values("Forwarded"))
	}
	o.Addr = c.client(o.Addr, hops)
	if proto = strings.ToLower(proto); proto == "http" || proto == "https" {
		o.Scheme = proto
	}
	if validHost(host) {
		o.Host = host
	}
	return o
}

// client walks back along the proxies, from the one that is connected at addr:
// each vouches for the address before it. It ends at the first address that is
// not trusted, or behind which there is nothing that can be read.
func (c Config) client(addr netip.Addr, lines []string) netip.Addr {
	for _, line := range slices.Backward(lines) {
		for end := len(line); end >= 0; {
			start := strings.LastIndexByte(line[:end], ',')
			before, ok := parseHop(line[start+1 : end])
			if !ok {
				return addr
			}
			if addr = before; !c.trusts(addr) {
				return addr
			}
			end = start
		}
	}
	return addr
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

// plain is an address in its one form, so that it can be compared.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// last is the value that the nearest proxy has written.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}

// localHost is the address at which the request came in: for one whose Host
// is missing or cannot stand in a header.
func localHost(r *http.Request) string {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && validHost(a.String()) {
		return a.String()
	}
	return "localhost"
}

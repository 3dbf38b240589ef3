// Package origin says where a request came from: the client's address, and
// the scheme and host by which it reached the hub.
package origin

import (
	"context"
	"net/http"
	"net/netip"
)

// An Origin is where a request came from.
type Origin struct {
	Addr   netip.Addr // the client's, behind trusted proxies
	Scheme string     // "http" or "https"
	Host   string     // host, and port if there is one, as the client knows them
}

// URL is the base of the hub's URLs for this client, without a slash at its end.
func (o Origin) URL() string { return o.Scheme + "://" + o.Host }

type key struct{}

// With adds the origin of a request to its context.
func With(ctx context.Context, o Origin) context.Context { return context.WithValue(ctx, key{}, o) }

// Of is the origin that With added, or else the origin of the connection.
func Of(r *http.Request) Origin {
	if o, ok := r.Context().Value(key{}).(Origin); ok {
		return o
	}
	o := Origin{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		o.Scheme = "https"
	}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		o.Addr = at.Addr().Unmap()
	}
	return o
}

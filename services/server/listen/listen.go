// Package listen is the HTTP server of a node: the address that it listens on, its
// certificate, the bounds of its connections, and how people reach it.
package listen

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"hubledger/services/internal/origin"
	"hubledger/services/server/connections"
	"hubledger/services/server/settings"
)

// Config is the part of a node's configuration that says how it is reached.
type Config struct {
	Address         string         // to listen on, such as 127.0.0.1:5050
	TLSCert, TLSKey string         // PEM files; "" for plain HTTP
	Public          *url.URL       // by which clients reach the hub; nil: the host of each request
	Trusted         []netip.Prefix // networks of proxies
	ByNetwork       int            // how many connections a network may have; 0: no bound
	Logger          *slog.Logger
}

// A Server is the HTTP server of a node.
type Server struct {
	*http.Server
	URL    string     // to show to people
	Docker string     // host, and port if it needs one, to type in docker commands
	Failed chan error // gets the error that ends the server
}

// Start serves h on the address, with TLS when there is a certificate.
func Start(c Config, h http.Handler) (*Server, error) {
	web := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(serverLog{c.Logger}, "", 0)}
	if c.TLSCert != "" {
		var err error
		if web.TLSConfig, err = TLSConfig(c.TLSCert, c.TLSKey, c.Logger); err != nil {
			return nil, &settings.Error{Setting: "--tls-cert, --tls-key", Err: fmt.Errorf("%w; `hubledger tls init` makes a certificate", err)}
		}
	}
	listener, err := net.Listen("tcp", c.Address)
	if err != nil {
		return nil, explain(err, c.Address)
	}
	bounded := connections.New(listener, c.connections())
	web.ConnState = bounded.State
	if warning := plainWarning(c.Address, c.TLSCert != "", c.Public); warning != "" {
		c.Logger.Warn(warning)
	}
	s := &Server{Server: web, Failed: make(chan error, 1)}
	s.URL, s.Docker = addresses(c.Public, listener.Addr(), certificateOf(web.TLSConfig))
	go func() {
		if c.TLSCert != "" {
			s.Failed <- web.ServeTLS(bounded, "", "")
		} else {
			s.Failed <- web.Serve(bounded)
		}
	}()
	return s, nil
}

// connections are the bounds of a node's connections. Those of this machine and of
// proxies are not counted by network: the clients behind them are, request by request.
func (c *Config) connections() connections.Config {
	most := connections.Limit()
	byNetwork := c.ByNetwork
	if byNetwork > 0 {
		byNetwork = min(byNetwork, most*3/4)
	}
	return connections.Config{Most: most, ByNetwork: byNetwork, Logger: c.Logger, Uncounted: func(a netip.Addr) bool {
		return a.IsLoopback() || slices.ContainsFunc(c.Trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}}
}

// explain says what to do about an address that cannot be listened on. Only
// the ports of others are a matter of settings: an address or a port may become
// free.
func explain(err error, address string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		err = fmt.Errorf("%w; name another address with --listen", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		err = fmt.Errorf("%w: this machine does not have that address; name one that it has with --listen, or 0.0.0.0 for all of them", err)
	case errors.Is(err, syscall.EACCES):
		return &settings.Error{Setting: "--listen", Err: fmt.Errorf("%w: ports below 1024 need root or CAP_NET_BIND_SERVICE; name a higher one, such as 5050", err)}
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// plainWarning is the warning for a hub that other machines reach by plain HTTP;
// "" for any other hub. secure says that the hub serves TLS.
func plainWarning(address string, secure bool, public *url.URL) string {
	host, port, err := net.SplitHostPort(address)
	if secure || err != nil || origin.IsLoopback(host) || public != nil && public.Scheme == "https" {
		return ""
	}
	return fmt.Sprintf("plain HTTP on %s: passwords and tokens cross the network unprotected, and docker on other machines answers "+
		"\"server gave HTTP response to HTTPS client\". Make a certificate with `hubledger tls init`, or put a proxy with TLS in front "+
		"and name its address with --public-url https://…; see docs/tls.md", net.JoinHostPort(host, port))
}

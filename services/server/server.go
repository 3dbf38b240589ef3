package server

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"hubledger/services/internal/origin"
	"hubledger/services/server/connections"
)

// Ready describes a node that can be used now.
type Ready struct {
	URL      string // to show to people
	Services []string
	Mode     string // what it does, when the log is read-only
	Docker   string // host, and port if it needs one, to type in docker commands
	ReadOnly error  // why nothing can be pushed; nil when it can
	// FirstAdmin, Password and PasswordFile are set until the first administrator
	// has changed the generated password.
	FirstAdmin, Password, PasswordFile string
	Took                               time.Duration
}

// Serve runs a node until ctx ends, and calls ready when it can be used. It
// returns nil when ctx ended first.
func Serve(ctx context.Context, c Config, ready func(Ready)) error {
	h, err := newHandler()
	if err != nil {
		return err
	}
	web, failed, address, err := c.listen(h)
	if err != nil {
		return err
	}
	url, docker := c.addresses(address, certificateOf(web.TLSConfig))
	started, told := time.Now(), c.Progress
	c.Progress = func(what string, done, total int64) {
		h.progress(what, done, total)
		if told != nil {
			told(what, done, total)
		}
	}
	n, err := Open(ctx, c)
	if err != nil {
		web.Close()
		if ctx.Err() != nil {
			return nil // interrupted while it started
		}
		return err
	}
	admin, err := startAdmin(n)
	if err == nil {
		h.ready(n)
		ready(Ready{URL: url, Docker: docker, Services: n.Services(), ReadOnly: n.log.ReadOnly(), Mode: n.mode(), Took: time.Since(started),
			FirstAdmin: n.first.Name, Password: n.first.Password, PasswordFile: n.first.PasswordFile})
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
		n.leaving.Store(true)
		c.Logger.Info("stopping; a second Ctrl-C ends the hub at once, which loses nothing that was acknowledged")
	}
	return errors.Join(err, shutdown(n, web, admin))
}

// listen serves h on the address, with TLS when there is a certificate. failed
// gets the error that ends the server.
func (c *Config) listen(h http.Handler) (web *http.Server, failed chan error, address net.Addr, err error) {
	web = &http.Server{Handler: c.withOrigin(h), ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(serverLog{c.Logger}, "", 0)}
	if c.TLSCert != "" {
		if web.TLSConfig, err = TLSConfig(c.TLSCert, c.TLSKey, c.Logger); err != nil {
			return nil, nil, nil, &SettingError{"--tls-cert, --tls-key", fmt.Errorf("%w; `hubledger tls init` makes a certificate", err)}
		}
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, nil, nil, c.explainListen(err)
	}
	bounded := connections.New(listener, c.connections())
	web.ConnState = bounded.State
	if warning := plainWarning(c.Listen, c.TLSCert != "", c.Public); warning != "" {
		c.Logger.Warn(warning)
	}
	failed = make(chan error, 1)
	go func() {
		if c.TLSCert != "" {
			failed <- web.ServeTLS(bounded, "", "")
		} else {
			failed <- web.Serve(bounded)
		}
	}()
	return web, failed, listener.Addr(), nil
}

// connections are the bounds of a node's connections. Those of this machine and of
// proxies are not counted by network: the clients behind them are, request by request.
func (c *Config) connections() connections.Config {
	most := connections.Limit()
	byNetwork := c.ConnectionsByNetwork
	if byNetwork > 0 {
		byNetwork = min(byNetwork, most*3/4)
	}
	return connections.Config{Most: most, ByNetwork: byNetwork, Logger: c.Logger, Uncounted: func(a netip.Addr) bool {
		return a.IsLoopback() || slices.ContainsFunc(c.Trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}}
}

// A serverLog writes what an http.Server has to say, which begins with where a client
// is, as one kind of message, and panics of requests as another.
type serverLog struct{ *slog.Logger }

func (l serverLog) Write(p []byte) (int, error) {
	text := strings.TrimSpace(string(p))
	if reason, stack, ok := strings.Cut(text, "\n"); ok && strings.Contains(reason, ": panic serving ") {
		l.Error("a request panicked", "reason", reason, "stack", stack)
	} else {
		l.Warn("a connection failed", "reason", text)
	}
	return len(p), nil
}

// withOrigin tells h by which URL and from which address each request came.
func (c *Config) withOrigin(h http.Handler) http.Handler {
	return origin.Handler(origin.Config{PublicURL: c.Public, Trusted: c.Trusted, Logger: c.Logger}, h)
}

// shutdown ends requests first, then what they rely on.
func shutdown(n *Node, servers ...*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), requestsWithin)
	defer cancel()
	var errs []error
	for _, server := range servers {
		if server == nil {
			continue
		}
		if err := n.await("requests that have begun", func() error { return server.Shutdown(ctx) }); err != nil {
			errs = append(errs, server.Close())
		}
	}
	guard := n.log.ReadOnly()
	return errors.Join(append(errs, n.Close(context.Background()), guard)...)
}

// requestsWithin is how long requests that have begun may take to end.
const requestsWithin = 25 * time.Second

// plainWarning is the warning for a hub that other machines reach by plain HTTP;
// "" for any other hub. secure says that the hub serves TLS.
func plainWarning(listen string, secure bool, public *url.URL) string {
	host, port, err := net.SplitHostPort(listen)
	if secure || err != nil || origin.IsLoopback(host) || public != nil && public.Scheme == "https" {
		return ""
	}
	return fmt.Sprintf("plain HTTP on %s: passwords and tokens cross the network unprotected, and docker on other machines answers "+
		"\"server gave HTTP response to HTTPS client\". Make a certificate with `hubledger tls init`, or put a proxy with TLS in front "+
		"and name its address with --public-url https://…; see docs/tls.md", net.JoinHostPort(host, port))
}

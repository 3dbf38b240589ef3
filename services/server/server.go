package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hubledger/services/internal/origin"
	"hubledger/services/server/listen"
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
	web, err := listen.Start(listen.Config{Address: c.Listen, TLSCert: c.TLSCert, TLSKey: c.TLSKey, Public: c.Public, Trusted: c.Trusted,
		ByNetwork: c.ConnectionsByNetwork, Logger: c.Logger}, c.withOrigin(h))
	if err != nil {
		return err
	}
	started, told := time.Now(), c.Progress
	c.Progress = func(what string, done, total int64) {
		h.progress(what, done, total)
		if told != nil {
			told(what, done, total)
		}
	}
	c.URL, c.Docker = web.URL, web.Docker
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
		ready(Ready{URL: web.URL, Docker: web.Docker, Services: n.Services(), ReadOnly: n.log.ReadOnly(), Mode: n.mode(), Took: time.Since(started),
			FirstAdmin: n.first.Name, Password: n.first.Password, PasswordFile: n.first.PasswordFile})
		select {
		case <-ctx.Done():
		case err = <-web.Failed:
		}
		n.leave()
		c.Logger.Info("stopping; a second Ctrl-C ends the hub at once, which loses nothing that was acknowledged")
	}
	return errors.Join(err, shutdown(n, web.Server, admin))
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

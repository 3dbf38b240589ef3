package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hubledger/services/internal/origin"
	"hubledger/services/registry/pulllimit"
)

type serveCmd struct {
	Listen             string        `help:"Address to listen on." default:"127.0.0.1:5050" env:"HUBLEDGER_LISTEN" placeholder:"HOST:PORT"`
	PublicURL          string        `name:"public-url" help:"URL by which clients reach the hub, when a proxy stands before it; the request's Host when empty." env:"HUBLEDGER_PUBLIC_URL" placeholder:"URL"`
	TrustedProxies     string        `name:"trusted-proxies" help:"Addresses of proxies whose forwarded headers count: addresses, networks, loopback, private; by commas." env:"HUBLEDGER_TRUSTED_PROXIES" placeholder:"LIST"`
	TLSCert            string        `name:"tls-cert" help:"Certificate file (PEM), read again when it changes. tls init makes one." env:"HUBLEDGER_TLS_CERT" placeholder:"FILE"`
	TLSKey             string        `name:"tls-key" help:"The certificate's key file (PEM)." env:"HUBLEDGER_TLS_KEY" placeholder:"FILE"`
	NATSURL            string        `name:"nats-url" help:"NATS server or cluster to keep the log on; embedded when empty." env:"HUBLEDGER_NATS_URL" placeholder:"URL"`
	PostgresURL        string        `name:"postgres-url" help:"PostgreSQL to keep projections in; SQLite files when empty." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
	SecretsKeyFile     string        `name:"secrets-key-file" help:"Key that password hashes and signing keys are encrypted with; secrets.key in the data directory when empty. Back it up apart from the data." env:"HUBLEDGER_SECRETS_KEY_FILE" placeholder:"FILE"`
	DefaultVisibility  string        `name:"default-visibility" help:"Of repositories that a push creates: ${enum}." enum:"private,public" default:"private" env:"HUBLEDGER_DEFAULT_VISIBILITY"`
	PullLimitAnonymous int           `name:"pull-limit-anonymous" help:"Manifests that one address may pull in a window without login; 0 for no limit." default:"0" env:"HUBLEDGER_PULL_LIMIT_ANONYMOUS"`
	PullLimitUser      int           `name:"pull-limit-user" help:"Manifests that one account may pull in a window; 0 for no limit." default:"0" env:"HUBLEDGER_PULL_LIMIT_USER"`
	PullLimitWindow    time.Duration `name:"pull-limit-window" help:"Length of that window." default:"6h" env:"HUBLEDGER_PULL_LIMIT_WINDOW"`
	UndeleteWindow     time.Duration `help:"How long a deletion can be undone." default:"720h" env:"HUBLEDGER_UNDELETE_WINDOW"`
	LeaseTerm          time.Duration `help:"How long an uploaded blob waits for its manifest, and how long a blob stays after its last use." default:"24h" env:"HUBLEDGER_LEASE_TERM"`
	GCInterval         time.Duration `name:"gc-interval" help:"Time between garbage collections; 0 turns them off." default:"1h" env:"HUBLEDGER_GC_INTERVAL"`
	CleanupInterval    time.Duration `name:"cleanup-interval" help:"Time between runs of the repositories' cleanup rules; 0 turns them off." default:"24h" env:"HUBLEDGER_CLEANUP_INTERVAL"`
	Reserve            int64         `help:"Bytes of the disk to keep free; 0: the larger of 2 GiB and 5 %, negative: none." default:"0" env:"HUBLEDGER_RESERVE"`
	LogLevel           slog.Level    `help:"debug, info, warn or error." default:"info" env:"HUBLEDGER_LOG_LEVEL"`

	public  *url.URL // parsed by Validate
	trusted []netip.Prefix
}

// Validate is called by kong.
func (c *serveCmd) Validate() (err error) {
	switch {
	case c.LeaseTerm < time.Second:
		return errors.New("--lease-term is at least 1s")
	case c.UndeleteWindow < time.Second:
		return errors.New("--undelete-window is at least 1s")
	case c.GCInterval < 0 || c.GCInterval > 0 && c.GCInterval < 100*time.Millisecond:
		return errors.New("--gc-interval is 0 or at least 100ms")
	case c.CleanupInterval < 0 || c.CleanupInterval > 0 && c.CleanupInterval < time.Second:
		return errors.New("--cleanup-interval is 0 or at least 1s")
	case c.PullLimitAnonymous < 0 || c.PullLimitUser < 0:
		return errors.New("a pull limit is not negative")
	case c.PullLimitWindow < time.Second:
		return errors.New("--pull-limit-window is at least 1s")
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	}
	if c.public, err = parsePublicURL(c.PublicURL); err != nil {
		return fmt.Errorf("--public-url: %w", err)
	}
	if c.trusted, err = origin.ParseTrusted(c.TrustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxies: %w", err)
	}
	return nil
}

func parsePublicURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	return origin.ParsePublicURL(s)
}

func (c *serveCmd) hubConfig(s *session, logger *slog.Logger) hubConfig {
	return hubConfig{Data: s.data, NATSURL: c.NATSURL, PostgresURL: c.PostgresURL, Public: c.public,
		SecretsKeyFile: cmp.Or(c.SecretsKeyFile, filepath.Join(s.data, "secrets.key")), AdminPassword: os.Getenv("HUBLEDGER_ADMIN_PASSWORD"),
		DefaultVisibility: c.DefaultVisibility,
		PullLimits:        pulllimit.Config{Anonymous: c.PullLimitAnonymous, User: c.PullLimitUser, Window: c.PullLimitWindow},
		LeaseTerm:         c.LeaseTerm, UndeleteWindow: c.UndeleteWindow, GCInterval: c.GCInterval, CleanupInterval: c.CleanupInterval,
		Reserve: c.Reserve, Logger: logger}
}

// listen opens the address, with TLS when there is a certificate.
func (c *serveCmd) listen(logger *slog.Logger) (net.Listener, error) {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w; name another address with --listen", err)
		}
		return nil, fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	if warning := plainWarning(c.Listen, c.TLSCert != "", c.public); warning != "" {
		logger.Warn(warning)
	}
	return listener, nil
}

func (c *serveCmd) Run(s *session) error {
	logger := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: c.LogLevel}))
	syscall.Umask(0o077) // what the hub keeps is its own
	front := newFront()
	server := &http.Server{Handler: origin.Handler(origin.Config{PublicURL: c.public, Trusted: c.trusted, Logger: logger}, front),
		ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}
	if c.TLSCert != "" {
		var err error
		if server.TLSConfig, err = newTLSConfig(c.TLSCert, c.TLSKey, logger); err != nil {
			return err
		}
	}
	listener, err := c.listen(logger)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() {
		if c.TLSCert != "" {
			failed <- server.ServeTLS(listener, "", "")
		} else {
			failed <- server.Serve(listener)
		}
	}()

	started := time.Now()
	b := s.bar("starting")
	config := c.hubConfig(s, logger)
	config.Progress = func(what string, done, total int64) {
		front.starting(what, done, total)
		b.what = what
		b.set(done, total, "")
	}
	hub, err := openHub(s.ctx, config)
	b.end()
	if err != nil {
		server.Close()
		if s.ctx.Err() != nil {
			return nil // interrupted while it started
		}
		return err
	}
	admin, err := startAdmin(hub)
	if err == nil {
		front.ready(hub)
		s.greet(hub, c.address(listener), time.Since(started))
		select {
		case <-s.ctx.Done():
		case err = <-failed:
		}
		logger.Info("stopping")
	}
	return errors.Join(err, shutdown(hub, server, admin))
}

// address is the URL to show to people.
func (c *serveCmd) address(l net.Listener) string {
	if c.public != nil {
		return c.public.String()
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String()
}

// shutdown ends requests first, then what they rely on.
func shutdown(h *hub, servers ...*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var errs []error
	for _, server := range servers {
		if server == nil {
			continue
		}
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	guard := h.log.ReadOnly()
	// The log gets a time of its own: closed well, it starts fast.
	ctx, cancel = context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(append(errs, h.close(ctx), guard)...)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// greet says what to type next.
func (s *session) greet(h *hub, base string, took time.Duration) {
	if s.json {
		s.print(map[string]any{"url": base, "data": h.Data, "ready_ms": took.Milliseconds(), "readOnly": h.log.ReadOnly() != nil})
		return
	}
	if err := h.log.ReadOnly(); err != nil {
		fmt.Fprintf(s.out, "Hubledger runs READ-ONLY on %s: pulls work, pushes and deletions do not.\n%v\n", base, err)
		return
	}
	// A certificate is for the names it has.
	_, host, _ := strings.Cut(strings.Replace(base, "http://127.0.0.1", "http://localhost", 1), "://")
	fmt.Fprintf(s.out, `Hubledger is ready on %s (%d ms), data in %s
%s
Try:
  docker login %s --username admin
  docker tag IMAGE %s/admin/app:1.0
  docker push %s/admin/app:1.0
  %s events ls

Stop with Ctrl-C.
`, base, took.Milliseconds(), h.Data, h.firstPassword(), host, host, host, commandName(h.Data))
}

// firstPassword is what the first administrator logs in with, as long as it is
// the one that was made for them.
func (h *hub) firstPassword() string {
	if h.first.Password == "" {
		return ""
	}
	return fmt.Sprintf("\nLog in as %s with the password %s\n(it is in %s until you change it: %s users reset-password %s)\n",
		h.first.Name, h.first.Password, h.first.PasswordFile, commandName(h.Data), h.first.Name)
}

// commandName is how to call this program for the given data directory.
func commandName(data string) string {
	name := os.Args[0]
	if strings.Contains(name, "go-build") {
		name = "go run ."
	}
	if data != "./hubledger-data" {
		name += " --data " + data
	}
	return name
}

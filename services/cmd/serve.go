package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

type serveCmd struct {
	Listen         string        `help:"Address to listen on. Only loopback until accounts exist." default:"127.0.0.1:5050" env:"HUBLEDGER_LISTEN" placeholder:"HOST:PORT"`
	NATSURL        string        `name:"nats-url" help:"NATS server or cluster to keep the log on; embedded when empty." env:"HUBLEDGER_NATS_URL" placeholder:"URL"`
	PostgresURL    string        `name:"postgres-url" help:"PostgreSQL to keep projections in; SQLite files when empty." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
	UndeleteWindow time.Duration `help:"How long a deletion can be undone." default:"720h" env:"HUBLEDGER_UNDELETE_WINDOW"`
	LeaseTerm      time.Duration `help:"How long an uploaded blob waits for its manifest, and how long a blob stays after its last use." default:"24h" env:"HUBLEDGER_LEASE_TERM"`
	GCInterval     time.Duration `name:"gc-interval" help:"Time between garbage collections; 0 turns them off." default:"1h" env:"HUBLEDGER_GC_INTERVAL"`
	Reserve        int64         `help:"Bytes of the disk to keep free; 0: the larger of 2 GiB and 5 %, negative: none." default:"0" env:"HUBLEDGER_RESERVE"`
	LogLevel       slog.Level    `help:"debug, info, warn or error." default:"info" env:"HUBLEDGER_LOG_LEVEL"`
}

// Validate is called by kong.
func (c *serveCmd) Validate() error {
	switch {
	case c.LeaseTerm < time.Second:
		return errors.New("--lease-term is at least 1s")
	case c.UndeleteWindow < time.Second:
		return errors.New("--undelete-window is at least 1s")
	case c.GCInterval < 0 || c.GCInterval > 0 && c.GCInterval < 100*time.Millisecond:
		return errors.New("--gc-interval is 0 or at least 100ms")
	}
	return loopbackOnly(c.Listen)
}

func (c *serveCmd) Run(s *session) error {
	logger := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: c.LogLevel}))
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; another program may have the address: name another one with --listen", c.Listen, err)
	}
	front := newFront()
	server := &http.Server{Handler: front, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()

	started := time.Now()
	b := s.bar("starting")
	hub, err := openHub(s.ctx, hubConfig{Data: s.data, NATSURL: c.NATSURL, PostgresURL: c.PostgresURL,
		LeaseTerm: c.LeaseTerm, UndeleteWindow: c.UndeleteWindow, GCInterval: c.GCInterval, Reserve: c.Reserve, Logger: logger,
		Progress: func(what string, done, total int64) {
			front.starting(what, done, total)
			b.what = what
			b.set(done, total, "")
		}})
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
		s.greet(hub, listener.Addr().String(), time.Since(started))
		select {
		case <-s.ctx.Done():
		case err = <-failed:
		}
		logger.Info("stopping")
	}
	return errors.Join(err, shutdown(hub, server, admin))
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

// loopbackOnly: without accounts everybody who reaches the server may push.
func loopbackOnly(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", listen, err)
	}
	if isLoopback(host) {
		return nil
	}
	return fmt.Errorf("--listen %s: this version has no accounts, so anybody who reaches it may push and delete; it listens on loopback addresses only, such as 127.0.0.1:5050", listen)
}

// greet says what to type next.
func (s *session) greet(h *hub, addr string, took time.Duration) {
	if s.json {
		s.print(map[string]any{"url": "http://" + addr, "data": h.Data, "ready_ms": took.Milliseconds(), "readOnly": h.log.ReadOnly() != nil})
		return
	}
	if err := h.log.ReadOnly(); err != nil {
		fmt.Fprintf(s.out, "Hubledger runs READ-ONLY on http://%s: pulls work, pushes and deletions do not.\n%v\n", addr, err)
		return
	}
	host := strings.Replace(addr, "127.0.0.1", "localhost", 1)
	fmt.Fprintf(s.out, `Hubledger is ready on http://%s (%d ms), data in %s

Try:
  docker tag IMAGE %s/alice/app:1.0
  docker push %s/alice/app:1.0
  docker pull %s/alice/app:1.0
  %s events ls

Stop with Ctrl-C. There are no accounts yet: it accepts pushes from this machine only.
`, addr, took.Milliseconds(), h.Data, host, host, host, commandName(h.Data))
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

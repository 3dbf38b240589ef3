// Package embedded runs a NATS server with JetStream inside this process, which
// nothing outside can connect to.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Config says where the server keeps its streams and how it writes them. All fields
// but Size and NoSync are required.
type Config struct {
	// Dir is where the server keeps its files.
	Dir string

	// Size is about what the streams have on disk, in bytes; it is the total
	// of the progress that is reported.
	Size int64

	// NoSync makes the server acknowledge messages that are not on disk yet.
	NoSync bool

	// MaxPayload bounds a message, headers and data, in bytes.
	MaxPayload int32

	// Logger gets the server's messages.
	Logger *slog.Logger

	// Progress is called every second of a long start.
	Progress func(msg string, done, total int64)
}

// A Server is an embedded server that runs.
type Server struct {
	ns  *server.Server
	log *Log
}

// Start starts the server and waits until it has recovered its streams,
// however long that takes: millions of events without a clean index need tens
// of seconds.
func Start(ctx context.Context, c Config) (*Server, error) {
	log := NewLog(c.Logger)
	ns, err := server.NewServer(&server.Options{
		ServerName:             "hubledger",
		DontListen:             true,
		NoSigs:                 true,
		JetStream:              true,
		StoreDir:               c.Dir,
		SyncAlways:             !c.NoSync,
		MaxPayload:             c.MaxPayload,
		JetStreamMaxMemory:     64 << 20,
		JetStreamMaxStore:      math.MaxInt64 / 2, // each stream has a limit of its own
		DisableJetStreamBanner: true,
		NoFastProducerStall:    true,
	})
	if err != nil {
		return nil, fmt.Errorf("nats server: %w", err)
	}
	ns.SetLoggerV2(log, false, false, false)

	s := &Server{ns, log}
	started := make(chan struct{})
	go func() {
		defer close(started)
		ns.Start()
	}()
	before := bytesRead()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-started:
			if !ns.JetStreamEnabled() {
				s.Stop()
				return nil, fmt.Errorf("nats server did not start: %s", log.LastError())
			}
			return s, nil
		case <-tick.C:
			c.Progress("indexing the log", min(bytesRead()-before, c.Size), c.Size)
		case <-ctx.Done():
			// Start cannot be interrupted; the process is about to end anyway.
			go func() {
				<-started
				s.Stop()
			}()
			return nil, context.Cause(ctx)
		}
	}
}

// bytesRead is what this process has read from files so far, 0 where the
// system does not say. The server reads each block once when it recovers
// without a clean index and tells nobody how far it is.
func bytesRead() int64 {
	var n int64
	data, err := os.ReadFile("/proc/self/io")
	if err == nil {
		fmt.Sscanf(string(data), "rchar: %d", &n)
	}
	return n
}

// Connection is the option by which a client connects to the server.
func (s *Server) Connection() nats.Option { return nats.InProcessServer(s.ns) }

// Stop returns when the server has written its index and closed its files.
func (s *Server) Stop() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// Writable is nil while the server writes. After a failed write it acknowledges
// nothing until it is started again; the error then says what the server reports.
func (s *Server) Writable() error {
	return verdict(func() *server.HealthStatus { return s.ns.Healthz(&server.HealthzOptions{Details: true}) })
}

// maxAsked is how often the server is asked for its health. It gives itself a
// millisecond to look whether it has started, which passes on a busy machine, and
// then says nothing of its streams.
const maxAsked = 1000

func verdict(ask func() *server.HealthStatus) (err error) {
	for range maxAsked {
		h := ask()
		switch {
		case h.StatusCode == http.StatusOK:
			return nil
		case len(h.Errors) == 0:
			return errors.New(h.Status)
		case h.Errors[0].Type != server.HealthzErrorConn:
			return errors.New(h.Errors[0].Error)
		}
		err = errors.New(h.Errors[0].Error)
	}
	return err
}

package streams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// An embeddedServer is a NATS server of this process that nothing outside can
// connect to.
type embeddedServer struct {
	ns  *server.Server
	log *serverLog
}

// startServer starts the server and waits until it has recovered the stream,
// however long that takes: millions of events without a clean index need tens
// of seconds. size is what the stream has on disk, in bytes, for the progress.
// durable makes it sync every message before it acknowledges it.
func startServer(ctx context.Context, c Config, size int64, durable bool) (*embeddedServer, error) {
	log := &serverLog{slog: c.Logger.With("from", "nats")}
	ns, err := server.NewServer(&server.Options{
		ServerName:             "hubledger",
		DontListen:             true,
		NoSigs:                 true,
		JetStream:              true,
		StoreDir:               c.natsDir(),
		SyncAlways:             durable,
		MaxPayload:             maxMsgSize,
		JetStreamMaxMemory:     64 << 20,
		JetStreamMaxStore:      math.MaxInt64 / 2, // each stream has a limit of its own
		DisableJetStreamBanner: true,
		NoFastProducerStall:    true,
	})
	if err != nil {
		return nil, fmt.Errorf("nats server: %w", err)
	}
	ns.SetLoggerV2(log, false, false, false)

	s := &embeddedServer{ns, log}
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
				s.stop()
				return nil, fmt.Errorf("nats server did not start: %s", log.lastError())
			}
			return s, nil
		case <-tick.C:
			c.Progress("indexing the log", min(bytesRead()-before, size), size)
		case <-ctx.Done():
			// Start cannot be interrupted; the process is about to end anyway.
			go func() {
				<-started
				s.stop()
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

// stop returns when the server has written its index and closed its files.
func (s *embeddedServer) stop() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// health is a *GuardError when the server has stopped writing: after a failed
// write it acknowledges nothing until it is started again. Nil for a server
// elsewhere, which says nothing of the kind.
func (s *embeddedServer) health() error {
	if s == nil {
		return nil
	}
	if h := s.ns.Healthz(&server.HealthzOptions{}); h.StatusCode != http.StatusOK {
		return guardError(ReasonWrite, "the log cannot be written: %s", cmp.Or(h.Error, h.Status))
	}
	return nil
}

// serverLog passes the server's messages on. Its notices are of no interest in
// normal running.
type serverLog struct {
	slog *slog.Logger
	last atomic.Pointer[string]
}

func (l *serverLog) Noticef(format string, v ...any) { l.slog.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Warnf(format string, v ...any)   { l.slog.Warn(fmt.Sprintf(format, v...)) }
func (l *serverLog) Debugf(string, ...any)           {}
func (l *serverLog) Tracef(string, ...any)           {}
func (l *serverLog) Errorf(format string, v ...any)  { l.keep(fmt.Sprintf(format, v...)) }
func (l *serverLog) Fatalf(format string, v ...any)  { l.keep(fmt.Sprintf(format, v...)) }

func (l *serverLog) keep(msg string) {
	l.last.Store(&msg)
	l.slog.Error(msg)
}

func (l *serverLog) lastError() error {
	if msg := l.last.Load(); msg != nil {
		return errors.New(*msg)
	}
	return errors.New("no reason given")
}

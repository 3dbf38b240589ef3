package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
)

// A Log is the open log. Its methods may be called from several goroutines.
type Log struct {
	config Config
	log    *slog.Logger
	lock   *dirLock

	server *embeddedServer // nil when NATS is elsewhere, and in quarantine
	conn   *nats.Conn      // nil in quarantine
	js     jetstream.JetStream
	pub    *publisher

	generation Generation
	readOnly   atomic.Pointer[error]
	lastSeq    atomic.Uint64 // the highest sequence this process has seen
	bytes      atomic.Int64  // about what the stream holds

	closing sync.Once
	closed  error
}

// ErrClosed: the log was closed.
var ErrClosed = errors.New("the log is closed")

// Generation is the id of the log's present life; see type Generation.
func (l *Log) Generation() string { return l.generation.ID }

// SetReadOnly makes every further append fail with events.ErrReadOnly and
// this reason. The first reason stays until the log is opened again.
func (l *Log) SetReadOnly(reason error) {
	if l.readOnly.CompareAndSwap(nil, &reason) {
		l.log.Error("the log is read-only from now on", "reason", reason)
	}
}

// ReadOnly is why nothing is appended, nil when the log is writable. It wraps
// events.ErrReadOnly and, when the guard found it, is a *GuardError.
func (l *Log) ReadOnly() error {
	if p := l.readOnly.Load(); p != nil {
		return fmt.Errorf("%w: %w", events.ErrReadOnly, *p)
	}
	return nil
}

// Close ends the connection, then the server, then the lock. Whoever follows
// or appends should have stopped before. Closing again does nothing.
func (l *Log) Close(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		l.closing.Do(func() { l.closed = l.release() })
		done <- l.closed
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("close the log: %w", context.Cause(ctx))
	}
}

func (l *Log) release() error {
	if l.conn != nil {
		l.conn.Close()
	}
	if l.server != nil {
		l.server.stop()
		l.seal()
	}
	return l.lock.release()
}

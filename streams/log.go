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
	"hubledger/streams/disk"
	"hubledger/streams/embedded"
	"hubledger/streams/evt"
)

// A Log is the open log. Its methods may be called from several goroutines. It is
// in quarantine when its files were found damaged before a server was started on
// them: then there is none, and every method returns ReadOnly's error.
type Log struct {
	config  Config
	log     *slog.Logger
	lock    *disk.Lock
	ballast *disk.Ballast

	server *embedded.Server // nil when NATS is elsewhere, and in quarantine
	conn   *nats.Conn       // nil in quarantine
	js     jetstream.JetStream
	pub    *publisher

	generation evt.Generation
	replicas   int          // of the stream
	limit      atomic.Int64 // the stream's, in bytes, noLimit for none
	readOnly   atomic.Pointer[error]
	lastSeq    atomic.Uint64 // the highest sequence this process has seen
	bytes      atomic.Int64  // about what the stream holds

	closing sync.Once
	closed  error
}

var (
	// ErrClosed: the log was closed.
	ErrClosed = errors.New("the log is closed")
	// ErrLocked: another process has the data directory open.
	ErrLocked = disk.ErrLocked
)

// Generation is the id of the log's generation; see evt.Generation.
func (l *Log) Generation() string { return l.generation.ID }

// Follows is the id of the generation that the log was restored from, "" for none.
func (l *Log) Follows() string { return l.generation.Previous }

// Kept is how many events of that generation this one has; 0 when that is not known.
func (l *Log) Kept() uint64 { return l.generation.Kept }

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

// writable is a *GuardError when the embedded server has stopped writing. A
// server elsewhere does not tell.
func (l *Log) writable() error {
	if l.server == nil {
		return nil
	}
	if err := l.server.Writable(); err != nil {
		return guardError(ReasonWrite, "the log cannot be written: %v", err)
	}
	return nil
}

// Close ends the connection, then the server, then the lock. Followers and
// appends should have ended before. Closing again does nothing.
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
		l.server.Stop()
		l.writeSeal()
	}
	return l.lock.Release()
}

package streams

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"hubledger/streams/secrets"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// startingCodes are the JetStream errors of a cluster that is still choosing
// its leaders, or whose other servers have not heard yet of a stream that a
// node has just made (nats-server, server/errors.json).
var startingCodes = map[jetstream.ErrorCode]bool{
	10005: true, // no suitable peers for placement
	10007: true, // cluster not in a state to perform an operation, tags or servers missing
	10008: true, // JetStream system temporarily unavailable
	10009: true, // no cluster leader
	10023: true, // insufficient resources
	10039: true, // JetStream not enabled for the account, yet
	10059: true, // stream not found
	10076: true, // JetStream not enabled, yet
	10118: true, // stream is offline
}

// starting reports whether a request failed in a way that a cluster gets over
// by itself while it starts. What does not exist counts as well: it is for the
// caller to know that somebody has made it.
func starting(err error) bool {
	var e *jetstream.APIError
	return notAnswered(err) || notReached(err) || errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, secrets.ErrConflict) || errors.As(err, &e) && startingCodes[e.ErrorCode]
}

// notReached reports whether no server accepted a connection.
func notReached(err error) bool {
	var failed *net.OpError
	return errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) || errors.As(err, &failed)
}

// notAnswered reports whether a request failed because no server has answered
// it, or because the server has not started the stream yet.
func notAnswered(err error) bool {
	var e *jetstream.APIError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, errNotReady) || errors.As(err, &e) && e.Code == 503
}

// How often a failure that goes on is logged as a warning, and how long a start
// waits before the first one.
const (
	warnEvery      = time.Minute
	warnStartAfter = 5 * time.Second
)

// A warner bounds the warnings of one thing that is tried again and again.
type warner struct{ next time.Time }

// level is that of the next message: a warning, or debug soon after one.
func (w *warner) level() slog.Level {
	now := time.Now()
	if now.Before(w.next) {
		return slog.LevelDebug
	}
	w.next = now.Add(warnEvery)
	return slog.LevelWarn
}

// WhileStarting repeats one step of a start until it is decided: until it
// works, fails for good, or ctx ends. The step has to be one that may fail half-way
// and be done again. What it waits for may never come, such as
// space on the servers: so the error is logged. It is not in the progress, which
// clients see.
func (l *Log) WhileStarting(ctx context.Context, step func() error) error {
	warns := warner{time.Now().Add(warnStartAfter)}
	for attempt := 0; ; attempt++ {
		err := step()
		if err == nil || !notAnswered(err) && (l.config.URL == "" || !starting(err)) {
			return err
		}
		l.config.Progress("waiting for the NATS servers", 0, 0)
		l.log.Log(ctx, warns.level(), "the start waits for the NATS servers", "error", err)
		if ended := pause(ctx, attempt); ended != nil {
			return errors.Join(ended, err)
		}
	}
}

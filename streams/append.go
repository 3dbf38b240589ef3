package streams

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams/evt"
)

// The error codes with which the server refuses a message.
const (
	codeWrongLastSequence jetstream.ErrorCode = 10071 // the subject's last event is another one
	codeWriteInFlight     jetstream.ErrorCode = 10164 // another write of the subject is not decided yet
	codeDuplicateInFlight jetstream.ErrorCode = 10158 // the same event is being written
	codeStoreFailed       jetstream.ErrorCode = 10077 // among others: the stream's byte limit
	codeAccountExceeded   jetstream.ErrorCode = 10002
	codeStorageExceeded   jetstream.ErrorCode = 10047
	codeNoResources       jetstream.ErrorCode = 10023
)

// ackWait is how long one attempt waits for its acknowledgement before the
// message is sent again. The first one may still be on its way to the disk;
// sending it twice does no harm.
const ackWait = 2 * time.Second

// Append puts an event into the log, sets its ce-time and returns its
// sequence. When it returns, the event is on disk.
//
// expect is the sequence of the last event that the subject must have, 0 for
// none at all, or events.AnySeq. If the subject has another last event, the
// error wraps events.ErrConflict, unless the event that followed has this one's
// id: then an earlier attempt had succeeded, and its sequence is returned. So
// appending an event again is safe: at any time with an expectation, and within
// the stream's duplicate window (10 min) without one.
//
// The error wraps events.ErrReadOnly or events.ErrNoSpace when the log accepts
// nothing now, and ErrUncertain when the outcome is not known because ctx
// ended or the disk failed.
func (l *Log) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	if _, redacted := e.Redacted(); redacted { // it would be believed
		return 0, fmt.Errorf("event %s cannot be appended: it says that it was redacted", e.Type())
	}
	m, err := evt.NewMessage(&e)
	if err != nil {
		return 0, err
	}
	if expect != events.AnySeq {
		m.Header[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(expect, 10)}
	}
	size := int64(m.Size()) + recordOverhead
	for attempt := 0; ; attempt++ {
		if err := l.accepts(&e, size); err != nil {
			if attempt > 0 {
				err = fmt.Errorf("append %s: %w: %w", e.Type(), ErrUncertain, err)
			}
			return 0, err
		}
		a, err := l.pub.publish(ctx, m, ackWait)
		if err == nil {
			l.saw(a.Seq)
			if !a.Duplicate {
				l.bytes.Add(size)
			}
			return a.Seq, nil
		}
		seq, err := l.outcome(ctx, &e, expect, err)
		if err == nil || !errors.Is(err, errAgain) {
			return seq, err
		}
		if err := pause(ctx, attempt); err != nil {
			return 0, fmt.Errorf("append %s: %w: %w", e.Type(), ErrUncertain, err)
		}
	}
}

// ErrUncertain: the outcome of an append is not known. Append the same event
// again, with the same id and expectation, to learn it.
var ErrUncertain = events.ErrUncertain

// errAgain: the attempt decided nothing and is to be repeated.
var errAgain = errors.New("again")

// outcome decides what a failed attempt means for the append: it succeeded, it
// failed, or it is to be repeated (errAgain).
func (l *Log) outcome(ctx context.Context, e *events.Event, expect uint64, err error) (uint64, error) {
	if errors.Is(err, errNoAck) {
		if ctx.Err() != nil {
			return 0, fmt.Errorf("append %s: %w: %w", e.Type(), ErrUncertain, err)
		}
		if l.conn.IsClosed() {
			return 0, fmt.Errorf("append %s: %w: %w", e.Type(), ErrUncertain, ErrClosed)
		}
		if bad := l.writable(); bad != nil {
			l.SetReadOnly(bad)
			return 0, fmt.Errorf("append %s: %w: %w", e.Type(), ErrUncertain, l.ReadOnly())
		}
		return 0, errAgain
	}
	var refused *jetstream.APIError
	if !errors.As(err, &refused) {
		return 0, fmt.Errorf("append %s: %w", e.Type(), err)
	}
	switch refused.ErrorCode {
	case codeWriteInFlight, codeDuplicateInFlight:
		return 0, errAgain
	case codeWrongLastSequence:
		return l.conflictOutcome(ctx, e, expect)
	case codeStoreFailed, codeAccountExceeded, codeStorageExceeded, codeNoResources:
		return 0, fmt.Errorf("append %s: %w: %w", e.Type(), events.ErrNoSpace, refused)
	}
	return 0, fmt.Errorf("append %s: %w", e.Type(), refused)
}

// conflictOutcome looks at the event that followed the expected one. A later
// event of another writer does not show whether this one was stored.
func (l *Log) conflictOutcome(ctx context.Context, e *events.Event, expect uint64) (uint64, error) {
	next, err := l.leaderGetNext(ctx, e.Subject, expect+1)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, fmt.Errorf("append %s: %w: %w", e.Type(), ErrUncertain, err)
	}
	if next == nil {
		return 0, fmt.Errorf("append %s: %w: %s ends before sequence %d", e.Type(), events.ErrConflict, e.Subject, expect)
	}
	if next.ID() == e.ID() {
		l.saw(next.Seq)
		return next.Seq, nil
	}
	return 0, fmt.Errorf("append %s: %w: expected %s at sequence %d, event %d (%s) followed",
		e.Type(), events.ErrConflict, e.Subject, expect, next.Seq, next.Type())
}

// pause waits a random while that grows with the attempts, from 1 ms to 500 ms.
func pause(ctx context.Context, attempt int) error {
	limit := min(time.Millisecond<<min(attempt, 10), 500*time.Millisecond)
	return sleep(ctx, limit/2+rand.N(limit/2+1))
}

// sleep waits that long or until ctx ends, and then returns its error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

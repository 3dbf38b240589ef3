package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams/evt"
)

// ErrGap: the log lacks an event in its middle, or ends before the position
// it is to be followed from.
var ErrGap = errors.New("the log has lost events")

// Bounds of what the server sends one follower ahead, and of one batch, in bytes.
const (
	followMessages = 2000
	followBytes    = 32 << 20
	batchBytes     = 16 << 20
)

// Follow calls fn with every event after the given sequence, in order, in
// batches of at most max events, for ever. What has arrived is handed over
// without waiting for more. It goes on by itself after the connection was
// lost. It returns the error of fn or ctx, or one that wraps ErrGap when an
// event is missing. fn may keep the events.
func (l *Log) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	if l.conn == nil {
		return l.ReadOnly()
	}
	if max < 1 {
		max = 1
	}
	var warns warner
	for failures := 0; ; {
		last, err := l.followNext(ctx, after, max, fn)
		if last > after {
			after, failures = last, 0
		}
		var stop *stopError
		if errors.As(err, &stop) {
			return stop.err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if l.conn.IsClosed() {
			return ErrClosed
		}
		if err == nil {
			continue
		}
		l.log.Log(ctx, warns.level(), "following the log was interrupted", "after", after, "error", err)
		failures++
		if err := pause(ctx, 5+failures); err != nil {
			return err
		}
	}
}

// A stopError ends Follow; after any other error it reads on.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

// followNext reads as long as one way of reading lasts: the files while the
// reader is far behind, then the server. Nil means that there is more to read.
func (l *Log) followNext(ctx context.Context, after uint64, max int, fn func([]events.Event) error) (uint64, error) {
	if last := l.lastSeq.Load(); l.server != nil && last > after+fileLead {
		return l.followFiles(ctx, after, last, max, fn)
	}
	return l.followServer(ctx, after, max, fn)
}

// followServer runs one consumer and returns the last sequence handed over.
func (l *Log) followServer(ctx context.Context, after uint64, max int, fn func([]events.Event) error) (uint64, error) {
	s, err := l.State(ctx)
	if err != nil {
		return after, err
	}
	if s.LastSeq < after {
		return after, &stopError{fmt.Errorf("%w: it ends at event %d, a reader is at event %d", ErrGap, s.LastSeq, after)}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	consumer, err := l.js.OrderedConsumer(ctx, StreamName, jetstream.OrderedConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       after + 1,
		InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return after, err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(followMessages, followBytes))
	if err != nil {
		return after, err
	}
	defer messages.Stop()

	arrived := make(chan arrival, min(max, followMessages))
	go receive(ctx, messages, arrived)
	for {
		batch, err := collect(ctx, arrived, after, max)
		if len(batch) > 0 {
			after = batch[len(batch)-1].Seq
			l.saw(after)
			if err := fn(batch); err != nil {
				return after, &stopError{err}
			}
		}
		if err != nil {
			return after, err
		}
	}
}

// An arrival is one event, or why there are no more.
type arrival struct {
	event events.Event
	err   error
}

// receive passes on what the consumer delivers until it fails or ctx ends.
func receive(ctx context.Context, messages jetstream.MessagesContext, arrived chan<- arrival) {
	for {
		var a arrival
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err == nil {
			a.event, err = fromConsumer(m)
		}
		a.err = err
		select {
		case arrived <- a:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func fromConsumer(m jetstream.Msg) (events.Event, error) {
	meta, err := m.Metadata()
	if err != nil {
		return events.Event{}, err
	}
	return evt.FromMessage(meta.Sequence.Stream, m.Subject(), m.Headers(), m.Data()), nil
}

// collect waits for one event and takes those that are there already. A batch
// may come with an error that follows it.
func collect(ctx context.Context, arrived <-chan arrival, after uint64, max int) ([]events.Event, error) {
	var batch []events.Event
	size := 0
	for len(batch) < max && size < batchBytes {
		var a arrival
		if len(batch) == 0 {
			select {
			case a = <-arrived:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		} else {
			select {
			case a = <-arrived:
			default:
				return batch, nil
			}
		}
		if a.err != nil {
			return batch, a.err
		}
		if want := after + uint64(len(batch)) + 1; a.event.Seq != want {
			return batch, &stopError{fmt.Errorf("%w: event %d is missing, event %d follows", ErrGap, want, a.event.Seq)}
		}
		batch = append(batch, a.event)
		size += len(a.event.Data)
	}
	return batch, nil
}

package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
)

// DeliverConfig says what a durable consumer of the log delivers, and how.
type DeliverConfig struct {
	// Name is that of the consumer: letters, digits, "-" and "_". The consumer
	// and what it has not delivered yet survive restarts under this name and
	// the log's generation.
	Name string
	// Subjects filters what is delivered; "*" stands for one token.
	Subjects []string
	// InFlight bounds the deliveries that are not acknowledged. With 1, the
	// default, the next event comes after the one before was acknowledged.
	InFlight int
}

// How long a delivery may go without a sign of life before it is delivered
// again, and how long a consumer is kept that nobody asks.
const (
	deliverWait = 10 * time.Second
	unusedTerm  = 30 * 24 * time.Hour
)

// A Delivery is an event that is to be acknowledged, by Ack or Nak. Until then
// Working has to be called more often than every 10 seconds.
type Delivery struct {
	Event events.Event
	// Attempt counts the deliveries of this event, from 1.
	Attempt int

	m jetstream.Msg
}

// Ack ends the delivery. It does not wait for the server: an event whose
// acknowledgement is lost is delivered again.
func (d *Delivery) Ack() error { return d.m.Ack() }

// Nak asks for the event to be delivered again after a pause.
func (d *Delivery) Nak(pause time.Duration) error { return d.m.NakWithDelay(pause) }

// Working asks for more time.
func (d *Delivery) Working() error { return d.m.InProgress() }

// Deliver calls fn with every event on the subjects that is appended after the
// consumer was made, in the order of the log, at least once, for ever. It makes
// the consumer if needed, and calls ready when it is there. It goes on after
// the connection was lost, and returns when ctx ends or the log is closed. fn
// must not wait for acknowledgements.
func (l *Log) Deliver(ctx context.Context, c DeliverConfig, ready func(), fn func(*Delivery)) error {
	if l.conn == nil {
		return l.ReadOnly()
	}
	var warns warner
	for failures := 0; ; failures++ {
		got, err := l.deliverOnce(ctx, c, &ready, fn)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if l.conn.IsClosed() {
			return ErrClosed
		}
		if got {
			failures = 0
		}
		l.log.Log(ctx, warns.level(), "a consumer of the log was interrupted", "consumer", c.Name, "error", err)
		if err := pause(ctx, 5+failures); err != nil {
			return err
		}
	}
}

// deliverOnce delivers until something fails, and says whether anything came.
func (l *Log) deliverOnce(ctx context.Context, c DeliverConfig, ready *func(), fn func(*Delivery)) (got bool, err error) {
	inFlight := max(c.InFlight, 1)
	consumer, err := l.js.CreateOrUpdateConsumer(ctx, StreamName, jetstream.ConsumerConfig{
		Durable:           c.Name + "-" + l.Generation(),
		FilterSubjects:    c.Subjects,
		DeliverPolicy:     jetstream.DeliverNewPolicy,
		AckPolicy:         jetstream.AckExplicitPolicy,
		AckWait:           deliverWait,
		MaxDeliver:        -1,
		MaxAckPending:     inFlight,
		InactiveThreshold: unusedTerm,
	})
	if err != nil {
		return false, fmt.Errorf("make consumer %s: %w", c.Name, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(inFlight))
	if err != nil {
		return false, err
	}
	defer messages.Stop()
	if *ready != nil { // the first time
		(*ready)()
		*ready = nil
	}
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return got, err
		}
		d := &Delivery{Attempt: 1, m: m}
		if d.Event, err = fromConsumer(m); err != nil {
			return got, errors.Join(err, m.Nak())
		}
		if meta, err := m.Metadata(); err == nil {
			d.Attempt = int(meta.NumDelivered)
		}
		got = true
		fn(d)
	}
}

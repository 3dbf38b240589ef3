package messages

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"hubledger/streams"
)

// A Source makes subscribers to the log.
type Source struct {
	Log    *streams.Log
	Logger *slog.Logger // nil: slog.Default
}

// Subscriber makes a subscriber that is known to the log by name, for events of
// these types. At most inFlight of its messages wait to be acknowledged; with 1
// they come in the order of the log. What was not acknowledged comes again,
// also after a restart. Events from before the first subscription do not come.
func (s Source) Subscriber(name string, types []string, inFlight int) (message.Subscriber, error) {
	subjects, err := Subjects(types...)
	if err != nil {
		return nil, err
	}
	if len(subjects) == 0 {
		return nil, errors.New("a subscriber needs types of events")
	}
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	ctx, stop := context.WithCancel(context.Background())
	return &subscriber{Source: s, types: types, ctx: ctx, stop: stop,
		config: streams.DeliverConfig{Name: name, Subjects: subjects, InFlight: inFlight}}, nil
}

type subscriber struct {
	Source
	types  []string
	config streams.DeliverConfig
	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	work   sync.WaitGroup
}

// Subscribe returns when the consumer exists: what is appended from then on
// comes. The topic is a name for people.
func (s *subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := context.AfterFunc(s.ctx, cancel)
	out, ready, failed := make(chan *message.Message), make(chan struct{}), make(chan error, 1)
	s.work.Go(func() {
		defer cancel()
		defer ended()
		defer close(out)
		err := s.Log.Deliver(ctx, s.config, func() { close(ready) }, func(d *streams.Delivery) { s.hand(ctx, out, d) })
		if ctx.Err() == nil {
			s.Logger.Error("a subscription to the log ended", "topic", topic, "error", err)
		}
		failed <- err
	})
	select {
	case <-ready:
		return out, nil
	case err := <-failed:
		return nil, err
	}
}

// Close ends all subscriptions and returns when their channels are closed.
func (s *subscriber) Close() error {
	s.stop()
	s.work.Wait()
	return nil
}

// hand gives an event to the subscription's reader. It is in the order of the
// log; the acknowledgement is waited for elsewhere.
func (s *subscriber) hand(ctx context.Context, out chan<- *message.Message, d *streams.Delivery) {
	if !slices.Contains(s.types, d.Event.Type()) {
		s.note(d, d.Ack())
		return
	}
	m := New(&d.Event)
	m.SetContext(ctx)
	select {
	case out <- m:
		go s.await(ctx, m, d)
	case <-ctx.Done():
		s.note(d, d.Nak(0))
	}
}

// workingEvery is how often the server is told that a message is worked on.
const workingEvery = 3 * time.Second

// await passes on what became of a message. When the subscription ends before
// that, the event is delivered again: to whoever subscribes next.
func (s *subscriber) await(ctx context.Context, m *message.Message, d *streams.Delivery) {
	tick := time.NewTicker(workingEvery)
	defer tick.Stop()
	for {
		select {
		case <-m.Acked():
			s.note(d, d.Ack())
			return
		case <-m.Nacked():
			s.note(d, d.Nak(pauseAfter(d.Attempt)))
			return
		case <-ctx.Done():
			select {
			case <-m.Acked():
				s.note(d, d.Ack())
			default:
				s.note(d, d.Nak(0))
			}
			return
		case <-tick.C:
			s.note(d, d.Working())
		}
	}
}

// note logs that the server could not be told: it will deliver the event again.
func (s *subscriber) note(d *streams.Delivery, err error) {
	if err != nil {
		s.Logger.Debug("an acknowledgement was not sent", "consumer", s.config.Name, "event", d.Event.Seq, "error", err)
	}
}

// pauseAfter is how long a message that was refused so many times stays away:
// from 100 ms to 30 s.
func pauseAfter(attempt int) time.Duration {
	return min(100*time.Millisecond<<min(attempt-1, 10), 30*time.Second)
}

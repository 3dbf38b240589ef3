package messages

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ThreeDotsLabs/watermill/message"

	"hubledger/events"
)

// Appender is the log; it is *streams.Log.
type Appender interface {
	Append(ctx context.Context, e events.Event, expect uint64) (uint64, error)
}

// A Publisher appends messages to the log.
type Publisher struct{ Log Appender }

var _ message.Publisher = Publisher{}

// Publish appends one event for each message, on the subject that is the topic,
// and sets the message's MetaSequence. When it returns nil the events are on
// disk. It ends at the first error, which is that of streams.Log.Append.
func (p Publisher) Publish(topic string, list ...*message.Message) error {
	for _, m := range list {
		delete(m.Metadata, MetaSequence)
		e, err := Event(m)
		if err != nil {
			return err
		}
		e.Subject = topic
		e.Set(events.AttrID, m.UUID)
		expect := events.AnySeq
		if text, ok := m.Metadata[MetaExpect]; ok {
			if expect, err = strconv.ParseUint(text, 10, 64); err != nil {
				return fmt.Errorf("message %s: its expected sequence %q is no number", m.UUID, text)
			}
		}
		seq, err := p.Log.Append(m.Context(), e, expect)
		if err != nil {
			return err
		}
		m.Metadata[MetaSequence] = strconv.FormatUint(seq, 10)
	}
	return nil
}

// Close does nothing: the log is closed by who opened it.
func (Publisher) Close() error { return nil }

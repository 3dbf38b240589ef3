// Package messages carries events of the log as Watermill messages: a
// Subscriber for the handlers of process managers, over a durable consumer, and
// a Publisher for what they produce. Projections follow the log itself, and
// commands append to it themselves.
package messages

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"

	"hubledger/events"
)

// What a message says beside the event's attributes, which have their own
// names ("ce-type", …) in its metadata. Its UUID is the event's id and its
// payload the event's data.
const (
	// MetaSubject is the event's subject.
	MetaSubject = "subject"
	// MetaSequence is the event's position in the log. The Publisher sets it.
	MetaSequence = "sequence"
	// MetaExpect is the sequence of the last event that the subject must have
	// for a message to be published, 0 for none at all. Without it there is no
	// such condition.
	MetaExpect = "expected-sequence"
)

const attributePrefix = "ce-"

// New makes a message of an event.
func New(e *events.Event) *message.Message {
	m := message.NewMessage(e.ID(), e.Data)
	for _, a := range e.Attributes {
		m.Metadata[a.Name] = a.Value
	}
	m.Metadata[MetaSubject] = e.Subject
	m.Metadata[MetaSequence] = strconv.FormatUint(e.Seq, 10)
	return m
}

// Event is the inverse of New.
func Event(m *message.Message) (events.Event, error) {
	e := events.Event{Subject: m.Metadata[MetaSubject], Data: m.Payload}
	for name, value := range m.Metadata {
		if strings.HasPrefix(name, attributePrefix) {
			e.Attributes = append(e.Attributes, events.Attribute{Name: name, Value: value})
		}
	}
	slices.SortFunc(e.Attributes, func(a, b events.Attribute) int { return cmp.Compare(a.Name, b.Name) })
	if text := m.Metadata[MetaSequence]; text != "" {
		var err error
		if e.Seq, err = strconv.ParseUint(text, 10, 64); err != nil {
			return e, fmt.Errorf("message %s: its sequence %q is no number", m.UUID, text)
		}
	}
	return e, nil
}

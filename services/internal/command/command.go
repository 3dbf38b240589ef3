// Package command turns decisions into events of the log.
package command

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
)

// Log is the log as decisions need it. Append's errors wrap those of package events.
type Log interface {
	// Append stores an event and returns its sequence. expect is the sequence
	// of the subject's last event, 0 for none, or events.AnySeq.
	Append(ctx context.Context, e events.Event, expect uint64) (uint64, error)
	// Last is the subject's latest event, nil when there is none. The next append expects
	// its Expect: events behind it may have been redacted.
	Last(ctx context.Context, subject string) (*events.Event, error)
}

// By says who decides, and which event led to it.
type By struct {
	Source      string // the service, such as "/registry"
	Actor       string // a login name, "anonymous", "operator" or "system"
	Cause       string // id of the event that led to this command, "" for none
	Correlation string // id of the first event of that chain
}

// Append makes an event of p with a new id and appends it.
func Append(ctx context.Context, log Log, by By, p events.Payload, expect uint64) (uint64, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return 0, fmt.Errorf("make an event id: %w", err)
	}
	e, err := events.New(p, events.Meta{ID: id.String(), Source: by.Source, Actor: by.Actor, Cause: by.Cause, Correlation: by.Correlation})
	if err != nil {
		return 0, err
	}
	return log.Append(ctx, e, expect)
}

// Latest reads a subject's latest event and what it says; nil, 0 when there is none.
func Latest(ctx context.Context, log Log, subject string) (events.Payload, uint64, error) {
	e, err := log.Last(ctx, subject)
	if err != nil || e == nil {
		return nil, 0, err
	}
	p, err := events.Decode(e)
	return p, e.Seq, err
}

// NewID mints the UUIDv7 of an aggregate.
func NewID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// OrphanAge is when a secret is given up that no event names: it is written just before
// the event that does.
const OrphanAge = time.Hour

// MintedAfter says whether NewID made an id after a time.
func MintedAfter(id string, t time.Time) bool {
	u, err := uuid.Parse(id)
	if err != nil {
		return false
	}
	return time.Unix(u.Time().UnixTime()).After(t)
}

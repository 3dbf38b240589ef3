package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// ErrNoDelivery: there is no webhook of that number.
var ErrNoDelivery = errors.New("no webhook of that number")

// Receive records a webhook. The event's id is made of the source's and the delivery's,
// so that one that comes twice at the same time is recorded once.
func Receive(ctx context.Context, log command.Log, by command.By, p events.HookReceived) (uint64, error) {
	of, err := uuid.Parse(p.Source)
	if err != nil {
		return 0, fmt.Errorf("the id of the source: %w", err)
	}
	e, err := events.New(p, events.Meta{ID: uuid.NewSHA1(of, []byte(p.Delivery)).String(), Source: by.Source, Actor: by.Actor})
	if err != nil {
		return 0, err
	}
	return log.Append(ctx, e, events.AnySeq)
}

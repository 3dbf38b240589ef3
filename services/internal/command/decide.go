package command

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
)

// tries bounds how often Decide decides again because another writer was faster.
const tries = 8

// Decide appends what next makes of a subject's latest event, and returns the
// sequence to wait for: of the event that it appended or, when next gives nil
// because nothing has to be done, of that latest event.
//
// next gets nil and 0 for a subject without events. It has no effects but for
// what it assigns to its caller, since it is called again when another writer
// has appended to the subject in between. Its errors are returned as they are;
// events.ErrConflict means that others were faster every time.
func Decide(ctx context.Context, log Log, by By, subject string,
	next func(last events.Payload, seq uint64) (events.Payload, error)) (uint64, error) {
	for range tries {
		last, seq, err := Latest(ctx, log, subject)
		if err != nil {
			return 0, fmt.Errorf("look up %s: %w", subject, err)
		}
		p, err := next(last, seq)
		if err != nil {
			return 0, err
		}
		if p == nil {
			return seq, nil
		}
		seq, err = Append(ctx, log, by, p, seq)
		if !errors.Is(err, events.ErrConflict) {
			return seq, err
		}
	}
	return 0, fmt.Errorf("decide on %s: %w", subject, events.ErrConflict)
}

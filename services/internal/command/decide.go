package command

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
)

// tries bounds how often Decide decides again because another writer was faster.
const tries = 8

// Decide calls next with a subject's latest event and appends the event that it
// returns. When next returns nil, nothing has to be done. The sequence is that
// of the new event, or else of the latest one.
//
// For a subject without events next gets nil and 0. It is called again when
// another writer has appended to the subject meanwhile, so it must have no
// effects but on variables of its caller. Its errors are returned as they are.
// The error wraps events.ErrConflict when other writers were faster every time.
func Decide(ctx context.Context, log Log, by By, subject string,
	next func(last events.Payload, seq uint64) (events.Payload, error)) (uint64, error) {
	return DecideSeen(ctx, log, by, subject, nil, next)
}

// DecideSeen is Decide for a caller who has looked at the subject before: seen is the
// sequence of its latest event then, 0 for none, or nil for whatever there is. When there
// is another event by now, nothing is appended and the error is a *ChangedError, unless
// next says that nothing has to be done: what the caller wants is so already.
func DecideSeen(ctx context.Context, log Log, by By, subject string, seen *uint64,
	next func(last events.Payload, seq uint64) (events.Payload, error)) (uint64, error) {
	for range tries {
		last, seq, expect, err := lookUp(ctx, log, subject)
		if err != nil {
			return 0, fmt.Errorf("look up %s: %w", subject, err)
		}
		p, err := next(last, seq)
		if seen != nil && *seen != seq && (p != nil || err != nil) {
			return 0, changed(ctx, log, subject)
		}
		if err != nil {
			return 0, err
		}
		if p == nil {
			return seq, nil
		}
		seq, err = Append(ctx, log, by, p, expect)
		if !errors.Is(err, events.ErrConflict) {
			return seq, err
		}
	}
	return 0, fmt.Errorf("decide on %s: %w", subject, events.ErrConflict)
}

// lookUp is Latest, with what the next append expects. Events that were redacted are passed
// over: to read models they did not happen, either, so that seq is the one that these know.
func lookUp(ctx context.Context, log Log, subject string) (last events.Payload, seq, expect uint64, err error) {
	e, err := log.Last(ctx, subject)
	if err != nil || e == nil {
		return nil, 0, 0, err
	}
	last, err = events.Decode(e)
	if errors.Is(err, events.ErrRedacted) { // all of the subject's are
		return nil, 0, e.Expect(), nil
	}
	return last, e.Seq, e.Expect(), err
}

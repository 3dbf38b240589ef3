package streams

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
)

// fileLead is how many events behind a reader must be for the files to be read
// instead of asking the server for each event, which takes several times as long.
const fileLead = 2000

// followFiles hands over what an embedded server's files hold up to a sequence
// that was acknowledged, and returns the last sequence handed over. Damage
// that it meets makes the log read-only.
func (l *Log) followFiles(ctx context.Context, after, to uint64, max int, fn func([]events.Event) error) (uint64, error) {
	var batch []events.Event
	size := 0
	deliver := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := fn(batch); err != nil {
			return &stopError{err}
		}
		after = batch[len(batch)-1].Seq
		batch, size = nil, 0
		return nil
	}
	next := after + 1
	err := l.scanFiles(ctx, after+1, to, func(e *events.Event) error {
		if e.Seq != next {
			return &stopError{fmt.Errorf("%w: event %d is missing, event %d follows", ErrGap, next, e.Seq)}
		}
		next++
		batch = append(batch, *e)
		if size += len(e.Data); len(batch) == max || size >= batchBytes {
			return deliver()
		}
		return nil
	})
	if err == nil {
		err = deliver()
	}
	if found := (*GuardError)(nil); errors.As(err, &found) {
		l.SetReadOnly(found)
		err = &stopError{found}
	}
	return after, err
}

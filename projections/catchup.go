package projections

import (
	"context"
	"errors"
	"log/slog"

	"hubledger/events"
)

// errCaughtUp ends a Follow at the event up to which CatchUp goes.
var errCaughtUp = errors.New("the last event was applied")

// CatchUp applies the log to a store that nobody else writes, up to exactly
// the event of that sequence. It does not try again: the first error is returned.
func CatchUp(ctx context.Context, store Store, source Source, to uint64, log *slog.Logger) error {
	r := NewRunner(RunnerConfig{Store: store, Source: upTo{source, to}, Logger: log})
	err := r.run(ctx)
	if err == nil {
		err = errors.New("the log ended before its last event")
	}
	if errors.Is(err, errCaughtUp) {
		return nil
	}
	return err
}

// upTo is a Source that ends with errCaughtUp after the event of a sequence.
type upTo struct {
	Source
	last uint64
}

func (u upTo) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	if after >= u.last {
		return errCaughtUp
	}
	return u.Source.Follow(ctx, after, max, func(batch []events.Event) error {
		end := len(batch)
		for end > 0 && batch[end-1].Seq > u.last {
			end--
		}
		if end > 0 {
			if err := fn(batch[:end]); err != nil {
				return err
			}
			if batch[end-1].Seq < u.last {
				return nil
			}
		}
		return errCaughtUp
	})
}

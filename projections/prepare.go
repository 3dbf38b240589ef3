package projections

import (
	"context"
	"errors"
	"log/slog"

	"hubledger/events"
)

// Prepare rebuilds a projection and brings the build up to what is the log's
// last event when it ends, so that whoever opens it has next to nothing to do.
// With Build Next it lies beside the live build of the same version until
// Switch; a new version is built as its Live, which no older program opens.
func Prepare(ctx context.Context, cfg RebuildConfig, progress func(done, total uint64)) error {
	if err := Rebuild(ctx, cfg, progress); err != nil {
		return err
	}
	store, err := cfg.Place.Open(ctx, cfg.Projection, Options{Build: cfg.Build, Generation: cfg.Generation, Logger: cfg.Logger})
	if err != nil {
		return err
	}
	last, err := cfg.Source.LastSeq(ctx)
	if err == nil {
		err = CatchUp(ctx, store, cfg.Source, last, cfg.Logger)
	}
	return errors.Join(err, store.Close())
}

// NeedsRebuild says whether a store at a position is so far behind the log's
// last event that a rebuild is quicker than catching up.
func NeedsRebuild(position, last uint64) bool {
	const few, share = 20_000, 10
	return last > position && last-position > few && last-position > last/share
}

// CatchUp applies the log to a store that nobody else writes, up to exactly
// the event of that sequence. It tries once: what goes wrong is returned.
func CatchUp(ctx context.Context, store Store, source Source, to uint64, log *slog.Logger) error {
	r := NewRunner(RunnerConfig{Store: store, Source: upTo{source, to}, Logger: log})
	err := r.run(ctx)
	if err == nil {
		err = errors.New("the log ended before its last event")
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// upTo is a Source that ends with errEnough behind an event.
type upTo struct {
	Source
	last uint64
}

func (u upTo) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	if after >= u.last {
		return errEnough
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
		return errEnough
	})
}

package bulk

import (
	"context"
	"errors"

	"hubledger/projections"
)

// Prepare rebuilds a projection and brings the build up to what is the log's
// last event when it ends, so that little is left to apply when it is opened.
// With Build Next it lies beside the live build of the same version until
// Switch; a new version is built as its Live, which no older program opens.
func Prepare(ctx context.Context, cfg Config, progress func(done, total uint64)) error {
	if err := Rebuild(ctx, cfg, progress); err != nil {
		return err
	}
	store, err := cfg.Storage.Open(ctx, cfg.Projection, projections.Options{Build: cfg.Build, Generation: cfg.Generation, Logger: cfg.Logger})
	if err != nil {
		return err
	}
	last, err := cfg.Source.LastSeq(ctx)
	if err == nil {
		err = projections.CatchUp(ctx, store, cfg.Source, last, cfg.Logger)
	}
	return errors.Join(err, store.Close())
}

// NeedsRebuild says whether a store at a position is so far behind the log's
// last event that a rebuild is quicker than catching up.
func NeedsRebuild(position, last uint64) bool {
	const few, share = 20_000, 10
	return last > position && last-position > few && last-position > last/share
}

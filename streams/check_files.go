package streams

import (
	"context"
	"errors"

	"hubledger/streams/blockfile"
	"hubledger/streams/evt"
)

// tailEvents is how many of the last events every start verifies.
const tailEvents = 20_000

// checkFiles reads the log's files before a server is started on them. After
// an orderly stop it reads the blocks of the last events, otherwise all, as
// the server will have to. It returns their size in bytes. The error is a
// *GuardError when the files are damaged or less than they were.
func checkFiles(ctx context.Context, c Config, g evt.Generation) (size int64, err error) {
	// A server would apply loosened limits as soon as it starts. A stored
	// configuration that it cannot read makes it leave the stream alone.
	if config, err := evt.StoredConfig(c.Dir); err == nil && config.Metadata[evt.MetaGeneration] == g.ID {
		if diff := evt.Differences(evt.Definition(g.Resized(config.MaxBytes), c.Replicas), config); len(diff) > 0 {
			return 0, configError(diff)
		}
	}
	blocks, err := evt.Blocks(c.Dir)
	if err != nil {
		return 0, err
	}
	sealed := evt.ReadSeal(c.Dir)
	if sealed.Generation != g.ID {
		sealed = evt.Seal{}
	}
	now, err := sealed.WithFiles(c.Dir, blocks)
	if err != nil {
		return 0, err
	}
	progress := func(done, total int64) { c.Progress("checking the log", done, total) }
	var last uint64
	if sealed.Index != "" && sealed.LastSeq > 0 && now == sealed {
		last, err = blockfile.VerifyTail(ctx, blocks, sealed.LastSeq, tailEvents, c.Logger, progress)
	} else {
		last, err = blockfile.Verify(ctx, blocks, c.Logger, progress)
	}
	if err != nil {
		return 0, damaged(err)
	}
	if last < sealed.LastSeq {
		return 0, guardError(ReasonBehind, "the log ended at event %d when it was stopped, now at %d", sealed.LastSeq, last)
	}
	return now.Bytes, nil
}

// damaged turns damage of the files into a *GuardError and leaves other errors as they are.
func damaged(err error) error {
	if found := (*blockfile.Damage)(nil); errors.As(err, &found) {
		return guardError(ReasonDamaged, "%v", found)
	}
	return err
}

// writeSeal notes what the files are after an orderly stop. Without it the
// next start only takes longer.
func (l *Log) writeSeal() {
	dir := l.config.Dir
	blocks, err := evt.Blocks(dir)
	if err == nil && l.ReadOnly() == nil && l.generation.ID != "" {
		s := evt.Seal{Generation: l.generation.ID, LastSeq: l.lastSeq.Load()}
		if s, err = s.WithFiles(dir, blocks); err == nil {
			err = s.Write(dir)
		}
	}
	if err != nil {
		l.log.Warn("the log's seal was not written", "error", err)
	}
}

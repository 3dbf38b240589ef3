package blockfile

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Verify reads all blocks of a stream and checks that they hold unbroken
// records of consecutive sequences from 1 on. It returns the last sequence. A
// write that a crash cut off at the end is logged and is no damage. progress
// is called about every second with the bytes that are done and all there are.
// The error is a *Damage when a record is bad or missing; last is then the one
// before it.
func Verify(ctx context.Context, blocks []Block, log *slog.Logger, progress func(done, total int64)) (last uint64, err error) {
	return verify(ctx, blocks, true, log, progress)
}

// VerifyTail is Verify for the last blocks that hold at least n records of a
// stream that ends at sequence last. Of the blocks before them it reads only
// how they begin, which shows one that is missing or empty. It reports progress
// only if the tail is the whole stream.
func VerifyTail(ctx context.Context, blocks []Block, last, n uint64, log *slog.Logger, progress func(done, total int64)) (uint64, error) {
	tail, err := tailBlocks(blocks, last, n)
	if err != nil {
		return 0, err
	}
	return verify(ctx, tail, len(tail) == len(blocks), log, progress)
}

func tailBlocks(blocks []Block, last, n uint64) ([]Block, error) {
	from, before := 0, uint64(0)
	for i, b := range blocks {
		first, err := b.firstSeq()
		if err != nil {
			return nil, err
		}
		if b.Size == 0 && i == len(blocks)-1 {
			break // made for the next event
		}
		if i == 0 && first != 1 || first <= before {
			return nil, damage("%s begins with event %d, the block before it with %d", b.Path, first, before)
		}
		if first+n <= last {
			from = i
		}
		before = first
	}
	return blocks[from:], nil
}

// verify demands that the first sequence is 1 if the blocks are the whole stream.
func verify(ctx context.Context, blocks []Block, whole bool, log *slog.Logger, progress func(done, total int64)) (last uint64, err error) {
	total, done := Size(blocks), int64(0)
	var reported time.Time
	var buf []byte
	for i, b := range blocks {
		if err := ctx.Err(); err != nil {
			return 0, context.Cause(ctx)
		}
		if whole && time.Since(reported) > time.Second {
			reported = time.Now()
			progress(done, total)
		}
		if buf, err = b.load(buf); err != nil {
			return 0, err
		}
		end, err := b.walk(buf, func(r Record) error {
			if (whole || last > 0) && r.Seq != last+1 {
				return damage("%s holds event %d where event %d is expected", b.Path, r.Seq, last+1)
			}
			last = r.Seq
			return nil
		})
		var bad *badRecord
		switch {
		case err == nil:
		case !errors.As(err, &bad):
			return last, err
		case i < len(blocks)-1 || !b.torn(buf[end:]):
			return last, damage("%v, after event %d", bad, last)
		default:
			log.Warn("the last write to the log was cut off before it was acknowledged",
				"file", b.Path, "after", last, "bytes", len(buf)-end)
		}
		done += b.Size
	}
	return last, nil
}

package streams

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
)

// scan calls fn with the events of a range of sequences, in order. An embedded
// server's files are read directly: the server would cut a damaged block off
// when it meets the damage. The error is a *GuardError when they are damaged.
func (l *Log) scan(ctx context.Context, from, to uint64, fn func(*events.Event) error) error {
	if l.server != nil {
		return l.scanBlocks(ctx, from, to, fn)
	}
	return l.scanServer(ctx, from, to, fn)
}

func (l *Log) scanBlocks(ctx context.Context, from, to uint64, fn func(*events.Event) error) error {
	blocks, err := listBlocks(l.config.storeDir())
	if err != nil {
		return err
	}
	blocks, err = blocksFrom(blocks, from)
	if err != nil {
		return err
	}
	var buf []byte
	for _, b := range blocks {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if buf, err = b.load(buf); err != nil {
			return err
		}
		last := uint64(0)
		_, err := b.walk(buf, func(r record) error {
			last = r.seq
			if r.seq > to {
				return errScanned
			}
			if r.seq < from {
				return nil
			}
			e := r.event()
			return fn(&e)
		})
		// What follows the range may be in the course of being written.
		if errors.Is(err, errScanned) || last == to && err != nil && isBad(err) {
			return nil
		}
		if isBad(err) {
			return guardError(ReasonDamaged, "%v, after event %d", err, last)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errScanned ends a walk that has seen all it was to see.
var errScanned = errors.New("scanned")

func isBad(err error) bool {
	var bad *badRecord
	return errors.As(err, &bad)
}

// blocksFrom drops the blocks that end before a sequence.
func blocksFrom(blocks []block, seq uint64) ([]block, error) {
	for len(blocks) > 1 {
		first, err := blocks[1].firstSeq()
		if err != nil {
			return nil, err
		}
		if first == 0 || first > seq {
			break
		}
		blocks = blocks[1:]
	}
	return blocks, nil
}

// scanServer follows the log over the connection as far as the range goes.
func (l *Log) scanServer(ctx context.Context, from, to uint64, fn func(*events.Event) error) error {
	err := l.Follow(ctx, from-1, 500, func(batch []events.Event) error {
		for i := range batch {
			if batch[i].Seq > to {
				return errScanned
			}
			if err := fn(&batch[i]); err != nil {
				return err
			}
		}
		if batch[len(batch)-1].Seq == to {
			return errScanned
		}
		return nil
	})
	if errors.Is(err, errScanned) {
		return nil
	}
	if errors.Is(err, ErrGap) {
		return guardError(ReasonLost, "%v", err)
	}
	return fmt.Errorf("read the log: %w", err)
}

package blockfile

import (
	"context"
	"errors"
)

// ErrStop is what a callback returns to end Scan or Salvage without an error.
var ErrStop = errors.New("stop")

// Scan calls fn with the records of a range of sequences, in order, while a
// server may be appending to the last block. The error is a *Damage when the
// range cannot be read, or that of fn or ctx.
func Scan(ctx context.Context, blocks []Block, from, to uint64, fn func(Record) error) error {
	blocks, err := blocksFrom(blocks, from)
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
		_, err := b.walk(buf, func(r Record) error {
			last = r.Seq
			if r.Seq > to {
				return ErrStop
			}
			if r.Seq < from {
				return nil
			}
			return fn(r)
		})
		// What follows the range may be in the course of being written.
		if errors.Is(err, ErrStop) || last == to && err != nil && isBad(err) {
			return nil
		}
		if isBad(err) {
			return damage("%v, after event %d", err, last)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// blocksFrom drops the blocks that end before a sequence.
func blocksFrom(blocks []Block, seq uint64) ([]Block, error) {
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

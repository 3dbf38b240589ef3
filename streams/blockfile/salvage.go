package blockfile

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Salvage calls fn with every good record of the blocks, in order, and passes
// over what is damaged. It ends with the error of fn; ErrStop ends it without one.
func Salvage(blocks []Block, fn func(Record) error) error {
	var buf []byte
	var err error
	for _, b := range blocks {
		if buf, err = b.load(buf); err != nil {
			return err
		}
		for rest := buf; len(rest) > 0; {
			end, err := b.walk(rest, fn)
			if errors.Is(err, ErrStop) {
				return nil
			}
			if err != nil && !isBad(err) {
				return err
			}
			rest = b.nextGood(rest[end:])
		}
	}
	return nil
}

// nextGood drops the beginning of buf up to the next good record, nil when there is none.
func (b Block) nextGood(buf []byte) []byte {
	h := b.hash()
	for i := 1; i+recordHead+recordChecksum <= len(buf); i++ {
		if _, _, why := parseRecord(buf[i:], h); why == "" {
			return buf[i:]
		}
	}
	return nil
}

// torn reports whether what follows the good part of a stream's last block is
// the beginning of a record that a crash interrupted. Such a record was never
// acknowledged, and the server drops it: the server syncs each record before
// it writes the next, so nothing good can follow it, and what is missing of it
// is missing at its end or is zeros, which an event never contains.
func (b Block) torn(rest []byte) bool {
	if b.nextGood(rest) != nil {
		return false
	}
	if len(rest) < recordHead || int(binary.LittleEndian.Uint32(rest)&^headerBit) > len(rest) {
		return true
	}
	return bytes.Contains(rest, make([]byte, 64))
}

package streams

import (
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/streams/disk"
	"hubledger/streams/evt"
)

// freesSpace says which events are accepted when the disk's reserve is used
// up: deletions and what garbage collection writes, since only they free space.
func freesSpace(e *events.Event) bool {
	family, _, err := events.SplitType(e.Type())
	return err == nil && (strings.HasSuffix(family, ".deleted") || strings.HasSuffix(family, ".swept"))
}

// diskFloor is the free space, in bytes, below which nothing at all is written
// by an embedded server: a write that fails half-way makes it stop writing
// until it is started again.
const diskFloor = 2 * evt.MaxMessageSize

// accepts is nil when the log may take an event of that size, in bytes, now.
func (l *Log) accepts(e *events.Event, size int64) error {
	if err := l.ReadOnly(); err != nil {
		return err
	}
	if l.server != nil {
		free, err := disk.FreeSpace(evt.ServerDir(l.config.Dir))
		if err != nil {
			return err
		}
		if free < diskFloor {
			return fmt.Errorf("%w: %d bytes are free", events.ErrNoSpace, free)
		}
	}
	if freesSpace(e) {
		return nil
	}
	if l.config.Reserve != nil && !l.config.Reserve() {
		return events.ErrNoSpace
	}
	// The end of the stream's byte limit is a reserve as well.
	if limit := l.limit.Load(); limit > 0 && l.bytes.Load()+size > limit-limitReserve(limit) {
		return fmt.Errorf("%w: the log's own limit of %d bytes is near", events.ErrNoSpace, limit)
	}
	return nil
}

// recordOverhead is what a stored message takes in bytes, at least, beside its
// subject, headers and data: the record's frame, and the log time.
const recordOverhead = 128

// limitReserve is kept of a stream's byte limit for what frees space: 1/16,
// at most 256 MiB, which is room for half a million deletions.
func limitReserve(limit int64) int64 { return min(limit/16, 256<<20) }

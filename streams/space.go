package streams

import (
	"fmt"

	"hubledger/events"
	"hubledger/streams/disk"
	"hubledger/streams/evt"
)

const (
	// diskFloor is the free space, in bytes, below which an embedded server writes
	// only what relieves (events.Relieves): a write that fails half-way makes it stop
	// writing until it is started again.
	diskFloor = 2 * evt.MaxMessageSize
	// reliefFloor is the free space, in bytes, below which it writes nothing at all.
	reliefFloor = 1 << 20
)

// room is nil when an embedded server may write that many bytes now. For what
// relieves, the ballast is given back when the disk is down to its floor.
func (l *Log) room(bytes int64, relieves bool) error {
	if l.server == nil {
		return nil
	}
	free, err := disk.FreeSpace(evt.ServerDir(l.config.Dir))
	if err == nil && free < diskFloor && relieves && l.makeRoom() {
		free, err = disk.FreeSpace(evt.ServerDir(l.config.Dir))
	}
	if err != nil {
		return err
	}
	if free < diskFloor && !relieves || free < reliefFloor+bytes {
		return fmt.Errorf("%w: %d bytes are free", events.ErrNoSpace, free)
	}
	return nil
}

// makeRoom gives the ballast back when the disk is down to its floor, and says whether
// it did. A start needs it, too: the server and the projections write when they open.
func (l *Log) makeRoom() bool {
	free, err := disk.FreeSpace(l.config.Dir)
	if err != nil || free >= diskFloor {
		return false
	}
	gave, err := l.ballast.GiveBack()
	if gave {
		l.log.Warn("the disk is full: the space that was kept for deletions and for locking out is given back", "bytes", l.config.Ballast)
	} else if err != nil {
		l.log.Warn("the space that was kept could not be given back", "error", err)
	}
	return gave
}

// keepBallast makes the ballast anew when the disk has space again.
func (l *Log) keepBallast() {
	if l.server == nil || l.config.Reserve != nil && !l.config.Reserve() {
		return
	}
	if err := l.ballast.Keep(diskFloor); err != nil {
		l.log.Warn("no space is kept for the case that the disk is full", "error", err)
	}
}

// Accepts is nil when the log takes events of every kind now; otherwise the error
// wraps events.ErrReadOnly or events.ErrNoSpace.
func (l *Log) Accepts() error { return l.accepts(&events.Event{}, recordOverhead) }

// accepts is nil when the log may take an event of that size, in bytes, now.
func (l *Log) accepts(e *events.Event, size int64) error {
	if err := l.ReadOnly(); err != nil {
		return err
	}
	relieves := events.Relieves(e)
	if err := l.room(size, relieves); err != nil || relieves {
		return err
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

// limitReserve is kept of a stream's byte limit for what relieves: 1/16, at most
// 256 MiB, which is room for half a million deletions.
func limitReserve(limit int64) int64 { return min(limit/16, 256<<20) }

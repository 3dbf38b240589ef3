package command

import (
	"context"
	"time"
)

// catchUpWithin bounds how long an answer waits because a read model is behind the log.
const catchUpWithin = 2 * time.Second

// An End tells where the log ends.
type End interface {
	// LastSeq is the sequence of the last event, 0 for none.
	LastSeq(ctx context.Context) (uint64, error)
}

// A Follower is a read model that follows the log.
type Follower interface {
	// Position is the sequence of the last event that it has committed.
	Position() uint64
	// Wait returns when it has committed the event of that sequence; an error when that is
	// parked or ctx ends.
	Wait(ctx context.Context, seq uint64) error
}

// CatchUp waits, for two seconds at most, until read models have what the log had when it was
// called. True says that one was behind: only then can a second look find more. Whoever is
// about to say that something does not exist calls it first: it may be in the log.
//
// It must be called, or not, whatever there is that may not be seen: who has to wait tells
// nothing then.
func CatchUp(ctx context.Context, log End, models ...Follower) (behind bool) {
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	last, err := log.LastSeq(ctx)
	if err != nil {
		return false
	}
	for _, m := range models {
		if m.Position() < last {
			behind = true
			if m.Wait(ctx, last) != nil && ctx.Err() != nil {
				break
			}
		}
	}
	return behind
}

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

// A Look remembers how far read models were before something is looked up in them. The zero
// Look is of none.
type Look struct {
	log    End
	models []Follower
	at     []uint64 // positions of the models
}

// NewLook begins a look.
func NewLook(log End, models ...Follower) Look {
	at := make([]uint64, len(models))
	for k, m := range models {
		at[k] = m.Position()
	}
	return Look{log, models, at}
}

// Since is a look into one read model that began when it was at that position. It costs
// nothing until something was missed.
func Since(position uint64, log End, model Follower) Look {
	return Look{log, []Follower{model}, []uint64{position}}
}

// Missed waits, for two seconds at most, until the read models have what the log had when
// it was called. True says that one of them had less when the look began, also when it has
// caught up in between: only then can a second look find more. Whoever is about to say that
// something does not exist calls it first: it may be in the log.
//
// It must be called, or not, whatever there is that may not be seen: who has to wait tells
// nothing then.
func (l Look) Missed(ctx context.Context) (missed bool) {
	if len(l.models) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	last, err := l.log.LastSeq(ctx)
	if err != nil {
		return false
	}
	for k, m := range l.models {
		missed = missed || l.at[k] < last
		if m.Position() < last && m.Wait(ctx, last) != nil && ctx.Err() != nil {
			break
		}
	}
	return missed
}

// CatchUp waits, for two seconds at most, until read models have what the log had when it
// was called.
func CatchUp(ctx context.Context, log End, models ...Follower) {
	NewLook(log, models...).Missed(ctx)
}

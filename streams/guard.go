package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hubledger/events"
	"hubledger/streams/evt"
)

// A Journal is the log's second copy as the guard needs it.
type Journal interface {
	// Position is the sequence of the last event that the journal holds.
	Position(ctx context.Context) (seq uint64, err error)
	// Leaf is the leaf that the journal holds for a sequence, false when it holds none.
	Leaf(ctx context.Context, seq uint64) (leaf events.Leaf, held bool, err error)
}

// A Guard finds out whether the log still is what it was. If it is not, the log
// is read-only until it is opened again.
type Guard struct {
	Log     *Log
	Journal Journal

	// Positions calls yield with what else knows how far the log went: who it is,
	// such as "projection images", the generation of the log that it followed, and
	// a sequence that the log had. Nil: only the journal knows.
	Positions func(ctx context.Context, yield func(who, generation string, seq uint64)) error

	// Every is the time between two checks: a minute when 0.
	Every time.Duration

	// ScrubRate is how many events a second are compared in the background: 2,000
	// when 0, which is a few per cent of one core and 5 million events in 40 minutes.
	ScrubRate int

	// ScrubRest is the time between two walks over the whole log: a day when 0.
	ScrubRest time.Duration

	Logger *slog.Logger // nil: slog.Default
}

// Check is called at the start, before the first append. It does what Run does
// each minute and compares the last 20,000 events with the journal.
//
// The error wraps events.ErrReadOnly and a *GuardError when the log is not to be
// trusted; the log is then read-only. Any other error means that the check could not be made.
func (g *Guard) Check(ctx context.Context) error {
	return g.judge(ctx, func() error {
		position, err := g.check(ctx)
		if err != nil {
			return err
		}
		from := uint64(1)
		if position > tailEvents {
			from = position - tailEvents + 1
		}
		return g.compare(ctx, from, position, 0)
	})
}

// judge runs a check and makes the log read-only when it finds something. The
// error then is that of ReadOnly.
func (g *Guard) judge(ctx context.Context, check func() error) error {
	if err := g.Log.ReadOnly(); err != nil {
		return err
	}
	err := check()
	if found := (*GuardError)(nil); errors.As(err, &found) {
		g.Log.SetReadOnly(found)
		return g.Log.ReadOnly()
	} else if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("log guard: %w", err)
	}
	return err
}

// check is everything but the comparison of many events with the journal. It
// returns the journal's position.
func (g *Guard) check(ctx context.Context) (position uint64, err error) {
	l := g.Log
	if ours, err := l.lock.Protects(); err != nil {
		return 0, err
	} else if !ours {
		return 0, guardError(ReasonLock, "%s was removed or replaced", l.lock.Path())
	}
	if err := l.writable(); err != nil {
		return 0, err
	}
	noted, err := evt.ReadGeneration(l.config.Dir)
	if err != nil && !errors.Is(err, evt.ErrGenerationFile) {
		return 0, err
	}
	if noted == nil || noted.ID != l.generation.ID {
		return 0, guardError(ReasonGeneration, "%s was changed while the log was open", evt.GenerationPath(l.config.Dir))
	}
	// The highest position is read before the log's end: both only ever rise.
	who, ahead := "what was acknowledged", l.lastSeq.Load()
	if g.Positions != nil {
		var foreign error
		err := g.Positions(ctx, func(name, generation string, seq uint64) {
			if generation != l.generation.ID && foreign == nil {
				foreign = guardError(ReasonGeneration, "%s followed a log of generation %q, this one is %q", name, generation, l.generation.ID)
			}
			if seq > ahead {
				who, ahead = name, seq
			}
		})
		if err = errors.Join(err, foreign); err != nil {
			return 0, err
		}
	}
	if position, err = g.Journal.Position(ctx); err != nil {
		return 0, err
	}
	if position > ahead {
		who, ahead = "the journal", position
	}
	info, err := l.streamInfo(ctx)
	if err != nil {
		return 0, err
	}
	if err := l.verifyStream(info); err != nil {
		return 0, err
	}
	state := info.state()
	if ahead > state.LastSeq {
		return 0, guardError(ReasonBehind, "the log ends at event %d, %s is at %d", state.LastSeq, who, ahead)
	}
	l.observe(state)
	if position == 0 {
		return 0, nil
	}
	return position, g.compare(ctx, position, position, 0)
}

// compare compares the log's events from one sequence to another with the
// journal's leaves, at most rate of them a second unless that is 0.
func (g *Guard) compare(ctx context.Context, from, to uint64, rate int) error {
	if from > to {
		return nil
	}
	next := from
	err := g.Log.scan(ctx, from, to, func(e *events.Event) error {
		if e.Seq != next {
			return guardError(ReasonLost, "event %d is missing", next)
		}
		next++
		if rate > 0 && next%100 == 0 {
			if err := sleep(ctx, 100*time.Second/time.Duration(rate)); err != nil {
				return err
			}
		}
		leaf, held, err := g.Journal.Leaf(ctx, e.Seq)
		if err != nil {
			return err
		}
		if !held {
			return guardError(ReasonJournal, "the journal has no event %d", e.Seq)
		}
		if leaf != events.LeafOf(e) {
			return guardError(ReasonDiffers, "event %d (%s on %s) is not the one in the journal", e.Seq, e.Type(), e.Subject)
		}
		return nil
	})
	if err == nil && next <= to {
		err = guardError(ReasonLost, "event %d is missing", next)
	}
	return err
}

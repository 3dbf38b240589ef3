// Package projectiontest helps to test projections: a log in memory, random
// histories, stores that end with the test, and a check that every way of
// applying a log gives the same rows.
package projectiontest

import (
	"context"
	"slices"
	"sync"

	"hubledger/events"
)

// A Log is a Source in memory. The zero value is empty and ready.
type Log struct {
	mu   sync.Mutex
	list []events.Event
	more chan struct{} // closed by the next Append
}

// Append puts an event at the end, gives it its sequence and returns that.
func (l *Log) Append(e events.Event) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Seq = uint64(len(l.list)) + 1
	l.list = append(l.list, e)
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return e.Seq
}

// LastSeq is the number of events.
func (l *Log) LastSeq(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.list)), nil
}

// Follow implements projections.Source.
func (l *Log) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	for {
		batch, more := l.next(after, max)
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(batch) > 0 {
			if err := fn(batch); err != nil {
				return err
			}
			after += uint64(len(batch))
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-more:
		}
	}
}

func (l *Log) next(after uint64, max int) ([]events.Event, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after < uint64(len(l.list)) {
		rest := l.list[after:]
		return rest[:min(max, len(rest)):min(max, len(rest))], nil
	}
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return nil, l.more
}

// Events are all of them.
func (l *Log) Events() []events.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

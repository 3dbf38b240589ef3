package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/services/server/readmodel"
	"hubledger/streams/blockfile"
	"hubledger/streams/evt"
)

// A stoppedLog is the log in the files of a hub that does not run.
type stoppedLog struct {
	generation string
	blocks     []blockfile.Block
	whole      uint64 // events that can be read
	last       uint64 // events that there are, or were when the hub stopped
	damage     error  // of what is behind whole; nil for none
}

func openStopped(ctx context.Context, data string) (*stoppedLog, error) {
	g, err := evt.ReadGeneration(data)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, fmt.Errorf("%s is not the data directory of a hub", data)
	}
	l := &stoppedLog{generation: g.ID}
	if l.blocks, err = evt.Blocks(data); err != nil {
		return nil, err
	}
	if len(l.blocks) == 0 {
		return nil, errors.New("the log is not in the data directory: if it is on NATS servers elsewhere, verify it while the hub runs")
	}
	l.whole, err = blockfile.Verify(ctx, l.blocks, slog.New(slog.DiscardHandler), func(int64, int64) {})
	if found := (*blockfile.Damage)(nil); errors.As(err, &found) {
		l.damage = found
	} else if err != nil {
		return nil, err
	}
	l.last = l.whole
	if l.damage != nil {
		l.last++
	}
	if s := evt.ReadSeal(data); s.Generation == g.ID {
		l.last = max(l.last, s.LastSeq)
	}
	return l, nil
}

// read is of verify.Config.
func (l *stoppedLog) read(ctx context.Context, yield func(*events.Event) error) error {
	if l.whole > 0 {
		err := blockfile.Scan(ctx, l.blocks, 1, l.whole, func(r blockfile.Record) error {
			e := evt.FromRecord(r)
			return yield(&e)
		})
		if err != nil {
			return err
		}
	}
	return l.damage
}

// openJournal opens the longest journal of a log; nil when there is none.
func openJournal(ctx context.Context, data, postgres, generation string) (projections.Store, error) {
	storage := readmodel.Storage(data, postgres)
	builds, err := storage.List(ctx)
	if err != nil {
		return nil, err
	}
	best := projections.Info{}
	for _, b := range builds {
		if b.Name == journal.Projection.Name && b.Version == journal.Projection.Version && b.Generation == generation && b.Position > best.Position {
			best = b
		}
	}
	if best.Position == 0 {
		return nil, nil
	}
	return storage.Open(ctx, &journal.Projection, projections.Options{Build: best.Build, ReadOnly: true, Logger: slog.New(slog.DiscardHandler)})
}

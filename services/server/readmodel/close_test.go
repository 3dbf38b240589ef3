package readmodel_test

import (
	"context"
	"log/slog"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/projectiontest"
	"hubledger/services/server/readmodel"
)

// lateLog is a log that hands out its events only after it was asked for its end a
// second time: the first time is the start, the second the stop.
type lateLog struct {
	projectiontest.Log
	asked   int
	stopped chan struct{}
}

func (l *lateLog) LastSeq(ctx context.Context) (uint64, error) {
	if l.asked++; l.asked == 2 {
		close(l.stopped)
	}
	return l.Log.LastSeq(ctx)
}

func (l *lateLog) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	return l.Log.Follow(ctx, after, max, func(batch []events.Event) error {
		select {
		case <-l.stopped:
			return fn(batch)
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func (l *lateLog) Generation() string { return "first" }
func (l *lateLog) Follows() string    { return "" }
func (l *lateLog) ReadOnly() error    { return nil }

func (l *lateLog) WhileStarting(_ context.Context, step func() error) error { return step() }

// What is in the log when a node stops is in its read models, so that the journal
// has what a log loses while the node is stopped.
func TestCloseCommitsTheLog(t *testing.T) {
	log, dir := &lateLog{stopped: make(chan struct{})}, t.TempDir()
	s := readmodel.New(readmodel.Config{Data: dir, Log: log, Logger: slog.New(slog.DiscardHandler), Progress: func(string, int64, int64) {}})
	checked := func([]projections.Info) error { return nil }
	if err := s.Open(t.Context(), []*projections.Projection{projectiontest.Synthetic}, checked); err != nil {
		t.Fatal(err)
	}
	if err := s.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := log.Append(projectiontest.Step{Writes: []projectiontest.Write{{Table: "current", Key: 1, Text: "x"}}}.Event("a"))
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	stored, err := readmodel.Storage(dir, "").List(t.Context())
	if err != nil || len(stored) != 1 || stored[0].Position != last {
		t.Errorf("the log ends at %d, stored is %v, %v", last, stored, err)
	}
}

package streams_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/restore"
	"hubledger/streams/streamtest"
)

func TestInterruptedReplacementIsFinished(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := mustOpen(t, dir)
	appendN(t, l, 1, 200)
	whole := journalOf(t, l, 200)
	mustClose(t, l)
	noted, err := os.ReadFile(filepath.Join(dir, "generation.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, interrupt := range map[string]func(dir string) error{
		"old files moved aside": func(dir string) error {
			return os.Rename(filepath.Join(dir, "nats"), filepath.Join(dir, "nats-replaced-20260101T000000.000Z"))
		},
		"new files in place, not noted": func(dir string) error {
			if _, err := restore.Run(ctx, quietRestore(dir), restore.Copy{Entries: whole[:journaled].all}); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "generation.json"), noted, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			interrupted := t.TempDir()
			copyDir(t, dir, interrupted)
			if err := interrupt(interrupted); err != nil {
				t.Fatal(err)
			}
			refused(t, interrupted, whole[:journaled], []streams.Reason{streams.ReasonBehind, streams.ReasonGeneration})
			r, err := restore.Run(ctx, quietRestore(interrupted), restore.Copy{Entries: whole[:journaled].all})
			if err != nil || r.Events != 200 {
				t.Fatalf("restored %+v, %v", r, err)
			}
			l := mustOpen(t, interrupted)
			if err := (&streams.Guard{Log: l, Journal: whole}).Check(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTailLostBeforeTheJournalHadItIsNotSeen(t *testing.T) {
	// The one case that nothing can see with a single copy: the machine dies,
	// the disk loses the end of the log although it had said that it was
	// synced, and no projection had read it. The docs say so.
	ctx := context.Background()
	dir, crashed := t.TempDir(), t.TempDir()
	l := mustOpen(t, dir)
	appendN(t, l, 1, 100)
	j := journalOf(t, l, 90)
	copyDir(t, dir, crashed)
	truncate(t, crashed, 700)
	l = mustOpen(t, crashed)
	if err := (&streams.Guard{Log: l, Journal: j}).Check(ctx); err != nil {
		t.Fatalf("it is seen after all, tell the docs: %v", err)
	}
	if s, err := l.State(ctx); err != nil || s.LastSeq >= 100 || s.LastSeq < 90 {
		t.Errorf("the log ends at %d, %v", s.LastSeq, err)
	}
}

func TestTornLastWriteIsNoDamage(t *testing.T) {
	dir, crashed := t.TempDir(), t.TempDir()
	l := mustOpen(t, dir)
	appendN(t, l, 1, 100)
	j := journalOf(t, l, 100)
	copyDir(t, dir, crashed)
	f, err := os.OpenFile(blockFile(crashed), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(blockFile(crashed))
	if err == nil {
		_, err = f.Write(data[:200]) // the beginning of a record
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	l = mustOpen(t, crashed)
	if err := (&streams.Guard{Log: l, Journal: j}).Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	appendN(t, l, 101, 110)
}

func TestSecondServerOnTheSameDirectory(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	_, err := streams.Open(context.Background(), quiet(dir))
	if !errors.Is(err, streams.ErrLocked) {
		t.Fatalf("a second server: %v", err)
	}
	if _, err := restore.Run(context.Background(), quietRestore(dir), restore.Copy{Entries: memoryJournal(nil).all}); !errors.Is(err, streams.ErrLocked) {
		t.Errorf("a restore under a running server: %v", err)
	}
	// Somebody removes the lock file, so that a second server could start.
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	refusedNow(t, &streams.Guard{Log: l, Journal: memoryJournal(nil)}, streams.ReasonLock)
}

func TestPositionsAheadOfTheLogAreRefused(t *testing.T) {
	l := streamtest.Open(t, "")
	appendN(t, l, 1, 10)
	refusedNow(t, &streams.Guard{Log: l, Journal: journalOf(t, l, 10),
		Positions: func(_ context.Context, yield func(string, string, uint64)) error {
			yield("projection images", l.Generation(), 11)
			return nil
		},
	}, streams.ReasonBehind)
	other := streamtest.Open(t, "")
	refusedNow(t, &streams.Guard{Log: other, Journal: memoryJournal(nil),
		Positions: func(_ context.Context, yield func(string, string, uint64)) error {
			yield("projection images", l.Generation(), 0)
			return nil
		},
	}, streams.ReasonGeneration)
}

func refusedNow(t *testing.T, g *streams.Guard, reason streams.Reason) {
	t.Helper()
	var found *streams.GuardError
	if err := g.Check(context.Background()); !errors.As(err, &found) || found.Reason != reason || !errors.Is(err, events.ErrReadOnly) {
		t.Errorf("the guard says %v", err)
	}
	if _, err := g.Log.Append(context.Background(), newEvent(t, "id", "x"), 0); !errors.Is(err, events.ErrReadOnly) {
		t.Errorf("append was answered with %v", err)
	}
}

func TestScrubFindsABitFlippedWhileTheServerRuns(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	appendN(t, l, 1, 100)
	g := &streams.Guard{Log: l, Journal: journalOf(t, l, 100), ScrubRest: time.Millisecond, ScrubRate: 1 << 20,
		Logger: quiet(dir).Logger}
	if err := g.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	flip(t, dir, .4)
	var found *streams.GuardError
	if err := g.Run(context.Background()); !errors.As(err, &found) || found.Reason != streams.ReasonDamaged {
		t.Fatalf("the guard ran until %v", err)
	}
	if err := l.ReadOnly(); !errors.Is(err, events.ErrReadOnly) {
		t.Errorf("the log is writable: %v", err)
	}
}

func TestAcceptKeepsWhatIsReadable(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := mustOpen(t, dir)
	appendN(t, l, 1, 100)
	old := l.Generation()
	mustClose(t, l)
	flip(t, dir, .5)
	c := quietRestore(dir)
	var lost *restore.LossError
	if _, err := restore.Run(ctx, c, restore.Copy{}); !errors.As(err, &lost) || lost.Last != 100 {
		t.Fatalf("without a journal: %v", err)
	}
	c.AcceptLoss = true
	r, err := restore.Run(ctx, c, restore.Copy{})
	if err != nil || r.Events != lost.Events {
		t.Fatalf("%+v, %v, after %v", r, err, lost)
	}
	if r.Generation.Previous != old || r.Generation.PreviousLast != 100 || r.Events < 40 || r.Events > 60 {
		t.Errorf("accepted %+v", r)
	}
	l = mustOpen(t, dir)
	s, err := l.State(ctx)
	if err != nil || s.LastSeq != r.Events || s.Generation != r.Generation.ID {
		t.Errorf("state %+v, %v", s, err)
	}
	appendN(t, l, int(r.Events)+1, 100)
}

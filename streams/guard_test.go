package streams_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// A memoryJournal is a journal that has read the log up to a point.
type memoryJournal []streams.Entry

func (j memoryJournal) Position(context.Context) (uint64, error) { return uint64(len(j)), nil }

func (j memoryJournal) Leaf(_ context.Context, seq uint64) (events.Leaf, bool, error) {
	if seq == 0 || seq > uint64(len(j)) {
		return events.Leaf{}, false, nil
	}
	return j[seq-1].Leaf, true, nil
}

func (j memoryJournal) all(yield func(streams.Entry, error) bool) {
	for _, e := range j {
		if !yield(e, nil) {
			return
		}
	}
}

func journalOf(t *testing.T, l *streams.Log, to uint64) memoryJournal {
	t.Helper()
	var j memoryJournal
	for seq := uint64(1); seq <= to; seq++ {
		e, err := l.Get(context.Background(), seq)
		if err != nil {
			t.Fatal(err)
		}
		j = append(j, streams.Entry{Event: *e, Leaf: events.LeafOf(e)})
	}
	return j
}

const (
	logged    = 200 // events in the log of a damage test
	journaled = 150 // of them in the journal
)

func quiet(dir string) streams.Config {
	return streams.Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func mustOpen(t *testing.T, dir string) *streams.Log {
	t.Helper()
	l, err := streams.Open(context.Background(), quiet(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(context.Background()) })
	return l
}

func mustClose(t *testing.T, l *streams.Log) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
		t.Fatalf("copy: %v: %s", err, out)
	}
}

func streamDir(dir string) string { return filepath.Join(dir, "nats/jetstream/$G/streams/EVT") }
func blockFile(dir string) string { return filepath.Join(streamDir(dir), "msgs/1.blk") }

// flip changes one bit at a part of a block file.
func flip(t *testing.T, dir string, part float64) {
	t.Helper()
	data, err := os.ReadFile(blockFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	data[int(float64(len(data))*part)] ^= 4
	if err := os.WriteFile(blockFile(dir), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, dir string, by int64) {
	t.Helper()
	info, err := os.Stat(blockFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(blockFile(dir), info.Size()-by); err != nil {
		t.Fatal(err)
	}
}

// bareServer runs a nats-server of somebody else on the stream and changes it.
func bareServer(t *testing.T, dir string, change func(context.Context, jetstream.JetStream) error) {
	t.Helper()
	ns, err := server.NewServer(&server.Options{JetStream: true, StoreDir: filepath.Join(dir, "nats"),
		DontListen: true, NoSigs: true, NoLog: true, JetStreamMaxStore: 1 << 60, MaxPayload: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	defer ns.WaitForShutdown()
	defer ns.Shutdown()
	nc, err := nats.Connect("", nats.InProcessServer(ns))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err == nil {
		err = change(context.Background(), js)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func update(change func(*jetstream.StreamConfig)) func(context.Context, jetstream.JetStream) error {
	return func(ctx context.Context, js jetstream.JetStream) error {
		s, err := js.Stream(ctx, streams.StreamName)
		if err != nil {
			return err
		}
		c := s.CachedInfo().Config
		change(&c)
		_, err = js.UpdateStream(ctx, c)
		return err
	}
}

func TestDamageIsRefusedAndRestored(t *testing.T) {
	type state struct {
		dir, older string // the data directory, and a copy of it from before the last 100 events
	}
	clean, both := []bool{true}, []bool{true, false}
	cases := []struct {
		name    string
		clean   []bool // was the server stopped in order?
		damage  func(t *testing.T, s state)
		reason  []streams.Reason
		touched bool // the damage is found after a server has seen the files
		whole   bool // everything comes back, also what the journal did not have yet
	}{
		{"bit flipped before the position", both, func(t *testing.T, s state) { flip(t, s.dir, .3) }, []streams.Reason{streams.ReasonDamaged}, false, true},
		{"bit flipped after the position", both, func(t *testing.T, s state) { flip(t, s.dir, .9) }, []streams.Reason{streams.ReasonDamaged}, false, false},
		{"bit flipped in the last event", both, func(t *testing.T, s state) { flip(t, s.dir, .9985) }, []streams.Reason{streams.ReasonDamaged}, false, false},
		{"cut by three bytes", clean, func(t *testing.T, s state) { truncate(t, s.dir, 3) }, []streams.Reason{streams.ReasonBehind}, false, false},
		{"cut in the middle", both, func(t *testing.T, s state) { truncate(t, s.dir, 70_000) }, []streams.Reason{streams.ReasonBehind}, true, false},
		{"index removed and a bit flipped", both, func(t *testing.T, s state) {
			flip(t, s.dir, .5)
			os.Remove(filepath.Join(streamDir(s.dir), "msgs/index.db"))
		}, []streams.Reason{streams.ReasonDamaged}, false, true},
		{"block removed", both, func(t *testing.T, s state) { os.Remove(blockFile(s.dir)) }, []streams.Reason{streams.ReasonBehind}, true, false},
		{"stream's own description damaged", both, func(t *testing.T, s state) {
			os.WriteFile(filepath.Join(streamDir(s.dir), "meta.inf"), []byte("{"), 0o600)
		}, []streams.Reason{streams.ReasonMissing}, true, false},
		{"stream directory removed", both, func(t *testing.T, s state) { os.RemoveAll(streamDir(s.dir)) },
			[]streams.Reason{streams.ReasonBehind, streams.ReasonMissing}, true, false},
		{"older copy of the stream directory", both, func(t *testing.T, s state) {
			os.RemoveAll(filepath.Join(s.dir, "nats"))
			copyDir(t, filepath.Join(s.older, "nats"), filepath.Join(s.dir, "nats"))
		}, []streams.Reason{streams.ReasonBehind}, true, false},
		{"another log's stream directory", both, func(t *testing.T, s state) {
			other := t.TempDir()
			l := mustOpen(t, other)
			appendN(t, l, 1, logged+10)
			mustClose(t, l)
			os.RemoveAll(filepath.Join(s.dir, "nats"))
			copyDir(t, filepath.Join(other, "nats"), filepath.Join(s.dir, "nats"))
		}, []streams.Reason{streams.ReasonGeneration}, true, false},
		{"generation file removed", both, func(t *testing.T, s state) { os.Remove(filepath.Join(s.dir, "generation.json")) },
			[]streams.Reason{streams.ReasonGeneration}, true, false},
		{"limits loosened", both, func(t *testing.T, s state) {
			bareServer(t, s.dir, update(func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 1e6, jetstream.DiscardOld }))
		}, []streams.Reason{streams.ReasonConfig}, true, false},
		{"limits loosened and events dropped", both, func(t *testing.T, s state) {
			bareServer(t, s.dir, update(func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 2, jetstream.DiscardOld }))
		}, []streams.Reason{streams.ReasonConfig}, true, false},
		{"limits loosened, events dropped, limits put back", both, func(t *testing.T, s state) {
			var was jetstream.StreamConfig
			bareServer(t, s.dir, update(func(c *jetstream.StreamConfig) { was = *c; c.MaxMsgs, c.Discard = 2, jetstream.DiscardOld }))
			bareServer(t, s.dir, update(func(c *jetstream.StreamConfig) { *c = was }))
		}, []streams.Reason{streams.ReasonDamaged, streams.ReasonLost, streams.ReasonBehind}, true, false},
		{"stream deleted", both, func(t *testing.T, s state) {
			bareServer(t, s.dir, func(ctx context.Context, js jetstream.JetStream) error {
				return js.DeleteStream(ctx, streams.StreamName)
			})
		}, []streams.Reason{streams.ReasonBehind, streams.ReasonMissing}, true, false},
		{"events forged by another server", both, func(t *testing.T, s state) { forge(t, s.dir) },
			[]streams.Reason{streams.ReasonDiffers}, true, false},
	}

	// One log for all: stopped in order, killed, and as it was earlier.
	stopped, crashed, older := t.TempDir(), t.TempDir(), t.TempDir()
	l := mustOpen(t, stopped)
	appendN(t, l, 1, logged-100)
	copyDir(t, stopped, older)
	appendN(t, l, logged-99, logged)
	generation := l.Generation()
	whole := journalOf(t, l, logged)
	copyDir(t, stopped, crashed)
	mustClose(t, l)

	for _, c := range cases {
		for _, clean := range c.clean {
			how, from := "killed", crashed
			if clean {
				how, from = "stopped", stopped
			}
			t.Run(c.name+", "+how, func(t *testing.T) {
				dir := t.TempDir()
				copyDir(t, from, dir)
				c.damage(t, state{dir, older})
				before, _ := os.ReadFile(blockFile(dir))

				refused(t, dir, whole[:journaled], c.reason)
				if after, _ := os.ReadFile(blockFile(dir)); !c.touched && !slices.Equal(before, after) {
					t.Error("the damaged file was changed")
				}
				if r := restored(t, dir, whole, generation); c.whole && r.Events != logged {
					t.Errorf("%d events came back, the log had %d", r.Events, logged)
				}
			})
		}
	}
}

// forge puts a stream of the same configuration with other events in place.
func forge(t *testing.T, dir string) {
	t.Helper()
	var was jetstream.StreamConfig
	bareServer(t, dir, func(ctx context.Context, js jetstream.JetStream) error {
		s, err := js.Stream(ctx, streams.StreamName)
		if err == nil {
			was = s.CachedInfo().Config
		}
		return err
	})
	if err := os.RemoveAll(streamDir(dir)); err != nil {
		t.Fatal(err)
	}
	bareServer(t, dir, func(ctx context.Context, js jetstream.JetStream) error {
		if _, err := js.CreateStream(ctx, was); err != nil {
			return err
		}
		for i := range logged {
			if _, err := js.Publish(ctx, fmt.Sprint("evt._.forged.", i), []byte("{}")); err != nil {
				return err
			}
		}
		return nil
	})
}

// refused opens a log and demands that the guard sees the damage and that
// nothing is appended.
func refused(t *testing.T, dir string, j memoryJournal, reasons []streams.Reason) {
	t.Helper()
	ctx := context.Background()
	l := mustOpen(t, dir)
	err := (&streams.Guard{Log: l, Journal: j}).Check(ctx)
	var found *streams.GuardError
	if !errors.As(err, &found) {
		t.Fatalf("the guard says %v", err)
	}
	if !slices.Contains(reasons, found.Reason) {
		t.Errorf("the reason is %q, not one of %q: %v", found.Reason, reasons, err)
	}
	if found.Advice == "" || found.ExitCode() == 0 {
		t.Errorf("no advice or exit code: %+v", found)
	}
	last := lastInFiles(l)
	for _, expect := range []uint64{0, events.AnySeq} {
		if _, err := l.Append(ctx, newEvent(t, "id-new", "new"), expect); !errors.Is(err, events.ErrReadOnly) {
			t.Errorf("append was answered with %v", err)
		}
	}
	if lastInFiles(l) != last {
		t.Error("something was appended")
	}
	mustClose(t, l)
}

func lastInFiles(l *streams.Log) uint64 {
	s, err := l.State(context.Background())
	if err != nil {
		return 0
	}
	return s.LastSeq
}

// restored rebuilds a log from the journal and demands that it is what it was
// and works again.
func restored(t *testing.T, dir string, whole memoryJournal, old string) streams.Restored {
	t.Helper()
	ctx := context.Background()
	r, err := streams.Restore(ctx, quiet(dir), whole[:journaled].all)
	if err != nil {
		t.Fatalf("restore: %v", err)
	}
	if r.Events < journaled || r.Events != journaled+r.Salvaged {
		t.Errorf("restored %+v", r)
	}
	if g := r.Generation; g.Previous != "" && g.Previous != old || g.PreviousLast != r.OldLast || g.ID == old {
		t.Errorf("generation %+v follows %s", g, old)
	}
	l := mustOpen(t, dir)
	if err := (&streams.Guard{Log: l, Journal: whole[:r.Events]}).Check(ctx); err != nil {
		t.Fatalf("after the restore: %v", err)
	}
	appendN(t, l, int(r.Events)+1, int(r.Events)+3)
	mustClose(t, l)
	return r
}

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
			if _, err := streams.Restore(ctx, quiet(dir), whole[:journaled].all); err != nil {
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
			r, err := streams.Restore(ctx, quiet(interrupted), whole[:journaled].all)
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
	if _, err := streams.Restore(context.Background(), quiet(dir), memoryJournal(nil).all); !errors.Is(err, streams.ErrLocked) {
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
		Positions: func(_ context.Context, yield func(string, uint64)) error { yield("registry 3", 11); return nil },
	}, streams.ReasonBehind)
}

func refusedNow(t *testing.T, g *streams.Guard, reason streams.Reason) {
	t.Helper()
	var found *streams.GuardError
	if err := g.Check(context.Background()); !errors.As(err, &found) || found.Reason != reason {
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
	r, err := streams.Accept(ctx, quiet(dir))
	if err != nil {
		t.Fatal(err)
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

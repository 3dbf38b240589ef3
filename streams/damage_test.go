package streams_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/restore"
	"hubledger/streams/streamtest"
)

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
		{"generation file damaged", both, func(t *testing.T, s state) {
			os.WriteFile(filepath.Join(s.dir, "generation.json"), []byte(`{"id":`), 0o600)
		}, []streams.Reason{streams.ReasonGeneration}, false, true},
		{"limits loosened", both, func(t *testing.T, s state) {
			streamtest.BareServer(t, s.dir, update(func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 1e6, jetstream.DiscardOld }))
		}, []streams.Reason{streams.ReasonConfig}, true, false},
		{"limits loosened and events dropped", both, func(t *testing.T, s state) {
			streamtest.BareServer(t, s.dir, update(func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 2, jetstream.DiscardOld }))
		}, []streams.Reason{streams.ReasonConfig}, true, false},
		{"limits loosened, events dropped, limits put back", both, func(t *testing.T, s state) {
			var was jetstream.StreamConfig
			streamtest.BareServer(t, s.dir, update(func(c *jetstream.StreamConfig) { was = *c; c.MaxMsgs, c.Discard = 2, jetstream.DiscardOld }))
			streamtest.BareServer(t, s.dir, update(func(c *jetstream.StreamConfig) { *c = was }))
		}, []streams.Reason{streams.ReasonDamaged, streams.ReasonLost, streams.ReasonBehind}, true, false},
		{"stream deleted", both, func(t *testing.T, s state) {
			streamtest.BareServer(t, s.dir, func(ctx context.Context, js jetstream.JetStream) error {
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
				// What a stop in order or another projection has seen, and damage that hides an event.
				known := uint64(journaled)
				if clean || strings.HasPrefix(c.name, "bit flipped") {
					known = logged
				}
				if r := restored(t, dir, whole, generation, known); c.whole && r.Events != logged {
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
	streamtest.BareServer(t, dir, func(ctx context.Context, js jetstream.JetStream) error {
		s, err := js.Stream(ctx, streams.StreamName)
		if err == nil {
			was = s.CachedInfo().Config
		}
		return err
	})
	if err := os.RemoveAll(streamDir(dir)); err != nil {
		t.Fatal(err)
	}
	streamtest.BareServer(t, dir, func(ctx context.Context, js jetstream.JetStream) error {
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
// and works again. known is the last event that is known beside the journal: a
// restore that does not reach it is refused first.
func restored(t *testing.T, dir string, whole memoryJournal, old string, known uint64) restore.Result {
	t.Helper()
	ctx := context.Background()
	c := quietRestore(dir)
	c.Known = []restore.Known{{Who: "projection images", Generation: old, Seq: known}, {Who: "another log", Generation: "other", Seq: 1000}}
	from := restore.Copy{Generation: old, Entries: whole[:journaled].all}
	r, err := restore.Run(ctx, c, from)
	if lost := (*restore.LossError)(nil); errors.As(err, &lost) {
		if lost.Last < known || lost.Last > logged || lost.Events < journaled || lost.Events >= lost.Last || lost.Witness == "" {
			t.Errorf("refused: %+v", lost)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*re*pl*ced*")); err != nil || len(left) > 0 {
			t.Errorf("a refused restore has moved %q, %v", left, err)
		}
		c.AcceptLoss = true
		if r, err = restore.Run(ctx, c, from); r.Events != lost.Events || r.OldLast != lost.Last {
			t.Errorf("restored %+v after %+v", r, lost)
		}
	} else if r.Events < known {
		t.Errorf("%d events came back without a question, %d were known", r.Events, known)
	}
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

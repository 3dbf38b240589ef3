package streams_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/restore"
)

// A memoryJournal is a journal that has read the log up to a point.
type memoryJournal []restore.Entry

func (j memoryJournal) Position(context.Context) (uint64, error) { return uint64(len(j)), nil }

func (j memoryJournal) Leaf(_ context.Context, seq uint64) (events.Leaf, bool, error) {
	if seq == 0 || seq > uint64(len(j)) {
		return events.Leaf{}, false, nil
	}
	return j[seq-1].Leaf, true, nil
}

func (j memoryJournal) all(yield func(restore.Entry, error) bool) {
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
		j = append(j, restore.Entry{Event: *e, Leaf: events.LeafOf(e)})
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

func quietRestore(dir string) restore.Config {
	return restore.Config{Dir: dir, Logger: quiet(dir).Logger}
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

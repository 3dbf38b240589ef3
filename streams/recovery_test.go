package streams_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/restore"
)

// recoverySize is the events of the log below, each on a subject of its own.
func recoverySize() int {
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
		return 20_000
	case "long":
		return 2_000_000
	}
	return 300_000
}

func TestDirtyIndexIsWaitedFor(t *testing.T) {
	ctx := context.Background()
	n := recoverySize()
	dir := t.TempDir()
	begin := time.Now()
	if r, err := restore.Run(ctx, quietRestore(dir), restore.Copy{Entries: generated(t, n)}); err != nil || r.Events != uint64(n) {
		t.Fatalf("%+v, %v", r, err)
	}
	t.Logf("%d events written in %v", n, time.Since(begin))

	mustClose(t, mustOpen(t, dir)) // reads all of the new files, and seals them
	for _, dirty := range []bool{false, true} {
		if dirty {
			if err := os.Remove(filepath.Join(streamDir(dir), "msgs/index.db")); err != nil {
				t.Fatal(err)
			}
		}
		c := quiet(dir)
		var told, done atomic.Int64
		c.Progress = func(msg string, d, total int64) {
			told.Add(1)
			done.Store(max(done.Load(), d))
			if d < 0 || total <= 0 || d > total {
				t.Errorf("%s: %d of %d", msg, d, total)
			}
		}
		begin := time.Now()
		l, err := streams.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(begin)
		t.Logf("dirty %v: opened in %v, progress told %d times", dirty, took, told.Load())
		if last, err := l.LastSeq(ctx); err != nil || last != uint64(n) {
			t.Errorf("the log ends at %d, %v", last, err)
		}
		if e, err := l.Get(ctx, uint64(n/2)); err != nil || e.ID() != fmt.Sprint("id-", n/2) {
			t.Errorf("event %d: %v, %v", n/2, e, err)
		}
		if dirty && told.Load() == 0 {
			t.Error("a start that reads the whole log shows no progress")
		}
		if dirty && took > 5*time.Second && (done.Load() == 0 || told.Load() < int64(took/time.Second)/2) {
			t.Errorf("in %v progress was shown %d times, up to %d", took, told.Load(), done.Load())
		}
		mustClose(t, l)
	}
}

// generated is a log of n creations.
func generated(t *testing.T, n int) func(func(restore.Entry, error) bool) {
	return func(yield func(restore.Entry, error) bool) {
		for i := 1; i <= n; i++ {
			e := newEvent(t, fmt.Sprint("id-", i), fmt.Sprint("name-", i))
			e.Seq = uint64(i)
			e.Set(events.AttrTime, time.Date(2026, 1, 1, 0, 0, 0, i*1000, time.UTC).Format(events.TimeLayout))
			if !yield(restore.Entry{Event: e, Leaf: events.LeafOf(&e)}, nil) {
				return
			}
		}
	}
}

package blobs_test

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
	"hubledger/services/registry/blobs/faultfs"
)

var quiet = slog.New(slog.DiscardHandler)

// pushMany stores n blobs of 1 KiB and more and makes them durable by one Sync.
func pushMany(t *testing.T, s *blobs.Store, seed byte, n int) map[digest.Digest][]byte {
	t.Helper()
	pushed := map[digest.Digest][]byte{}
	var ds []digest.Digest
	for i := range n {
		p := content(seed+byte(i), 1024+i)
		ds = append(ds, push(t, s, p))
		pushed[digestOf(p)] = p
	}
	check(t, s.Sync(t.Context(), ds...))
	return pushed
}

// A crash can leave the files of small blobs torn, empty or without their names: the
// next start makes them whole, and the journal is gone.
func TestJournalMakesSmallBlobsWhole(t *testing.T) {
	dir := t.TempDir()
	crashed := open(t, blobs.Config{Dir: dir, Log: quiet})
	pushed := pushMany(t, crashed, 1, 4)
	empty := content(9, 0)
	push(t, crashed, empty)
	check(t, crashed.Sync(t.Context(), digestOf(empty)))
	pushed[digestOf(empty)] = empty

	damages := []func(path string) error{
		os.Remove,
		func(path string) error { return os.Truncate(path, 0) },
		func(path string) error { return os.WriteFile(path, make([]byte, 1024), 0o600) },
	}
	i := 0
	for d := range pushed {
		if i < len(damages) {
			check(t, damages[i](filepath.Join(dir, "blobs/sha256", d.Encoded())))
		}
		i++
	}
	s := open(t, blobs.Config{Dir: dir, Log: quiet})
	mustBeEmpty(t, dir, "journal", "pending")
	for d, p := range pushed {
		mustRead(t, s, d, p)
	}
}

// counting counts the syncs of files and directories.
type counting struct {
	blobs.OS
	syncs atomic.Int64
}

func (c *counting) Sync(f *os.File) error {
	c.syncs.Add(1)
	return c.OS.Sync(f)
}

func TestOneSyncMakesManySmallBlobsDurable(t *testing.T) {
	fsys := &counting{}
	s := open(t, blobs.Config{Dir: t.TempDir(), FS: fsys, Log: quiet})
	pushMany(t, s, 1, 1) // which begins a segment
	before := fsys.syncs.Load()
	pushMany(t, s, 50, 20)
	if n := fsys.syncs.Load() - before; n != 1 {
		t.Fatalf("%d syncs for 20 small blobs at once, want 1", n)
	}
}

// Full segments are removed once their blobs are durable by themselves, and a clean
// end leaves none.
func TestCheckpointsRemoveTheJournal(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir, Log: quiet, JournalSize: 1})
	pushed := pushMany(t, s, 1, 3)
	for i := range 20 {
		for d, p := range pushMany(t, s, byte(10+4*i), 3) {
			pushed[d] = p
		}
		if n := len(files(t, dir, "journal")); n > 2 {
			t.Fatalf("the journal has %d segments, more than the one that is written to and the one before", n)
		}
	}
	check(t, s.Close())
	mustBeEmpty(t, dir, "journal")
	s = open(t, blobs.Config{Dir: dir, Log: quiet})
	for d, p := range pushed {
		mustRead(t, s, d, p)
	}
}

// withoutJournal is a disk on which the journal finds no space.
type withoutJournal struct{ *faultfs.FS }

func (w withoutJournal) WriteAt(f *os.File, p []byte, at int64) (int, error) {
	if strings.Contains(f.Name(), "/journal/") {
		n, err := w.FS.WriteAt(f, p[:len(p)/2], at)
		if err == nil {
			err = syscall.ENOSPC
		}
		return n, err
	}
	return w.FS.WriteAt(f, p, at)
}

func TestSmallBlobsAreDurableWithoutAJournal(t *testing.T) {
	fsys := faultfs.New(t.TempDir())
	defer fsys.Close()
	s := open(t, blobs.Config{Dir: fsys.Root(), FS: withoutJournal{fsys}, Log: quiet})
	pushed := pushMany(t, s, 1, 3)
	for d, p := range pushMany(t, s, 20, 3) {
		pushed[d] = p
	}
	fsys.Cut()
	for seed := range uint64(20) {
		remains := t.TempDir()
		check(t, fsys.Remains(remains, rand.New(rand.NewPCG(seed, 1))))
		s := open(t, blobs.Config{Dir: remains, Log: quiet})
		for d, p := range pushed {
			mustRead(t, s, d, p)
		}
	}
}

// What stands behind a torn record was not promised and is not read; what stands before
// it is whole.
func TestTornJournal(t *testing.T) {
	dir := t.TempDir()
	crashed := open(t, blobs.Config{Dir: dir, Log: quiet})
	first := pushMany(t, crashed, 1, 1)
	last := pushMany(t, crashed, 30, 1)
	segment := filepath.Join(dir, "journal", files(t, dir, "journal")[0])
	journal, err := os.ReadFile(segment)
	check(t, err)
	for _, torn := range [][]byte{journal[:len(journal)-1], append(journal[:len(journal)-1:len(journal)-1], journal[len(journal)-1]^1),
		append(journal[:len(journal)-1:len(journal)-1], make([]byte, 5000)...)} {
		remains := t.TempDir()
		check(t, os.CopyFS(remains, os.DirFS(dir)))
		check(t, os.RemoveAll(filepath.Join(remains, "blobs/sha256")))
		check(t, os.WriteFile(filepath.Join(remains, "journal/0"), torn, 0o600))
		s := open(t, blobs.Config{Dir: remains, Log: quiet})
		for d, p := range first {
			mustRead(t, s, d, p)
		}
		for d := range last {
			_, err := s.Stat(t.Context(), d)
			mustBe(t, err, blobs.ErrNotFound)
		}
		mustBeEmpty(t, remains, "journal")
	}
}

// A checkpoint that fails loses nothing: the segment stays, and nothing more is promised.
func TestFailedCheckpointKeepsTheJournal(t *testing.T) {
	fsys := faultfs.New(t.TempDir())
	defer fsys.Close()
	s := open(t, blobs.Config{Dir: fsys.Root(), FS: fsys, Log: quiet, JournalSize: 1})
	pushed := pushMany(t, s, 1, 3)
	fsys.FailSyncs(io.ErrUnexpectedEOF)
	p := content(99, 100)
	push(t, s, p)
	if err := s.Sync(t.Context(), digestOf(p)); err == nil {
		t.Fatal("a blob counts as durable although no sync succeeds")
	}
	deadline := time.Now().Add(10 * time.Second)
	for s.Sync(t.Context()) == nil && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	mustBe(t, s.Sync(t.Context()), io.ErrUnexpectedEOF)
	fsys.Cut()
	remains := t.TempDir()
	check(t, fsys.Remains(remains, rand.New(rand.NewPCG(1, 1))))
	s = open(t, blobs.Config{Dir: remains, Log: quiet})
	for d, p := range pushed {
		mustRead(t, s, d, p)
	}
}

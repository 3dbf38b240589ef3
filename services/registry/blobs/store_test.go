package blobs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
	"hubledger/services/registry/blobs/faultfs"
)

func TestSyncedBlobSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir})
	small, large := push(t, s, content(1, 1000)), push(t, s, content(2, 5<<20))
	check(t, s.Sync(t.Context(), small, large, small))
	check(t, s.Sync(t.Context(), small))
	mustBe(t, s.Sync(t.Context(), digest.FromString("unknown")), blobs.ErrNotFound)
	s = open(t, blobs.Config{Dir: dir})
	mustRead(t, s, small, content(1, 1000))
	mustRead(t, s, large, content(2, 5<<20))
	mustBeEmpty(t, dir, "pending", "uploads")
}

func TestCloseMakesPendingDurable(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir})
	d := push(t, s, []byte("hello"))
	check(t, s.Close())
	check(t, s.Close())
	_, err := s.Begin(t.Context(), repo)
	mustBe(t, err, blobs.ErrClosed)
	mustRead(t, open(t, blobs.Config{Dir: dir}), d, []byte("hello"))
}

func TestSameContentAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir})
	var wg sync.WaitGroup
	p := content(1, 100<<10)
	for i := range 16 {
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				push(t, s, p)
			} else {
				_, err = s.Put(t.Context(), digestOf(p), bytes.NewReader(p), -1, nil)
			}
			if err := errors.Join(err, s.Sync(t.Context(), digestOf(p))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	mustRead(t, s, digestOf(p), p)
	mustBeEmpty(t, dir, "pending", "uploads")
}

func TestPendingIsBounded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir, MaxPending: 3})
	for i := range 20 {
		push(t, s, content(byte(i), 10))
	}
	if n := len(files(t, dir, "pending")); n > 3 {
		t.Fatalf("%d blobs are pending", n)
	}
	for i := range 20 {
		mustRead(t, s, digestOf(content(byte(i), 10)), content(byte(i), 10))
	}
}

func TestRemoveAndWalk(t *testing.T) {
	s := open(t, blobs.Config{Dir: t.TempDir()})
	synced, pending, gone := push(t, s, []byte("synced")), push(t, s, []byte("pending")), push(t, s, []byte("gone"))
	check(t, s.Sync(t.Context(), synced, gone))
	f, _, err := s.Open(t.Context(), gone)
	check(t, err)
	defer f.Close()
	for range 2 {
		check(t, s.Remove(t.Context(), gone))
	}
	_, err = s.Stat(t.Context(), gone)
	mustBe(t, err, blobs.ErrNotFound)
	if n, err := f.Read(make([]byte, 10)); n != 4 {
		t.Fatalf("a reader lost the blob: %d bytes, %v", n, err)
	}
	seen := map[digest.Digest]int64{}
	check(t, s.Walk(t.Context(), func(d digest.Digest, size int64, modified time.Time) error {
		if time.Since(modified) > time.Hour {
			t.Errorf("%s is of %v", d, modified)
		}
		seen[d] = size
		return nil
	}))
	if len(seen) != 1 || seen[synced] != 6 {
		t.Fatalf("walked %v", seen)
	}
	check(t, s.Remove(t.Context(), pending))
	_, err = s.Stat(t.Context(), pending)
	mustBe(t, err, blobs.ErrNotFound)
	push(t, s, []byte("gone")) // again
	mustRead(t, s, gone, []byte("gone"))
	stop := errors.New("stop")
	mustBe(t, s.Walk(t.Context(), func(digest.Digest, int64, time.Time) error { return stop }), stop)
}

func TestVerifyFindsAndPushRepairs(t *testing.T) {
	dir := t.TempDir()
	var repaired []digest.Digest
	s := open(t, blobs.Config{Dir: dir, VerifyRate: 1 << 30, Repaired: func(d digest.Digest) { repaired = append(repaired, d) }})
	whole, flipped := push(t, s, []byte("whole")), push(t, s, []byte("flipped"))
	check(t, s.Sync(t.Context(), whole, flipped))
	check(t, os.WriteFile(filepath.Join(dir, "blobs/sha256", flipped.Encoded()), []byte("flopped"), 0o600))

	found := map[digest.Digest]error{}
	var last blobs.Progress
	check(t, s.Verify(t.Context(), func(p blobs.Progress) { last = p }, func(d digest.Digest, problem error) { found[d] = problem }))
	if len(found) != 1 || !errors.Is(found[flipped], blobs.ErrDigestMismatch) {
		t.Fatalf("found %v", found)
	}
	if want := (blobs.Progress{Blobs: 2, TotalBlobs: 2, Bytes: 12, TotalBytes: 12}); last != want {
		t.Fatalf("progress %+v, want %+v", last, want)
	}
	_, err := s.Stat(t.Context(), flipped)
	mustBe(t, err, blobs.ErrDamaged)
	mustBe(t, err, blobs.ErrNotFound)
	_, _, err = s.Open(t.Context(), flipped)
	mustBe(t, err, blobs.ErrDamaged)
	mustBe(t, s.Sync(t.Context(), flipped), blobs.ErrDamaged)

	push(t, s, []byte("flipped"))
	mustRead(t, s, flipped, []byte("flipped")) // the pushed one, which is pending
	if len(repaired) != 0 {
		t.Fatal("called repaired before it is durable")
	}
	check(t, s.Sync(t.Context(), flipped))
	mustRead(t, s, flipped, []byte("flipped"))
	if len(repaired) != 1 || repaired[0] != flipped {
		t.Fatalf("repaired %v", repaired)
	}
	check(t, s.Verify(t.Context(), nil, func(d digest.Digest, problem error) { t.Errorf("%s: %v", d, problem) }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mustBe(t, s.Verify(ctx, nil, func(digest.Digest, error) {}), context.Canceled)
}

// What was truncated is repaired by a push although nobody has found it yet.
func TestPushReplacesAnotherSize(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir})
	d := push(t, s, []byte("hello"))
	check(t, s.Sync(t.Context(), d))
	check(t, os.Truncate(filepath.Join(dir, "blobs/sha256", d.Encoded()), 3))
	push(t, s, []byte("hello"))
	check(t, s.Sync(t.Context(), d))
	mustRead(t, s, d, []byte("hello"))
}

func TestUsageCountsEveryBlobOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, blobs.Config{Dir: dir})
	a, b := push(t, s, []byte("a")), push(t, s, []byte("bb"))
	push(t, s, []byte("a"))
	check(t, s.Sync(t.Context(), a, b))
	check(t, s.Remove(t.Context(), b)) // waits for the first count
	want := blobs.Usage{Blobs: 1, Bytes: 1, Exact: true}
	if got := s.Usage(); got != want {
		t.Fatalf("usage %+v, want %+v", got, want)
	}
	s = open(t, blobs.Config{Dir: dir})
	pending := push(t, s, []byte("ccc"))
	check(t, s.Remove(t.Context(), b))
	want.Pending = 1
	if got := s.Usage(); got != want {
		t.Fatalf("usage after reopening %+v, want %+v", got, want)
	}
	check(t, os.Truncate(filepath.Join(dir, "blobs/sha256", a.Encoded()), 0))
	push(t, s, []byte("a"))
	check(t, s.Sync(t.Context(), a, pending))
	want = blobs.Usage{Blobs: 2, Bytes: 5, Exact: true} // the damage of one byte was not ours to count
	if got := s.Usage(); got != want {
		t.Fatalf("usage after a repair %+v, want %+v", got, want)
	}
}

func TestReserveIsKept(t *testing.T) {
	s := open(t, blobs.Config{Dir: t.TempDir(), Reserve: 1 << 60})
	_, err := s.Begin(t.Context(), repo)
	mustBe(t, err, blobs.ErrNoSpace)
	_, err = s.Put(t.Context(), digest.FromString("x"), strings.NewReader("x"), 1, nil)
	mustBe(t, err, blobs.ErrNoSpace)
	left, free, total, err := s.Space()
	check(t, err)
	if left >= 0 || free <= 0 || total < free {
		t.Fatalf("left %d, free %d, total %d", left, free, total)
	}
}

// room is a disk of which that many bytes are free.
type room struct {
	blobs.OS
	free atomic.Int64
}

func (r *room) Space(string) (free, total int64, err error) { return r.free.Load(), 1 << 30, nil }

func TestSpaceThatWasMadeIsUsedAtOnce(t *testing.T) {
	disk := &room{}
	s := open(t, blobs.Config{Dir: t.TempDir(), FS: disk, Reserve: 1 << 20})
	_, err := s.Begin(t.Context(), repo)
	mustBe(t, err, blobs.ErrNoSpace)
	disk.free.Store(2 << 20)
	push(t, s, []byte("a"))
	_, err = s.Put(t.Context(), digest.FromString("b"), strings.NewReader("b"), 2<<20, nil)
	mustBe(t, err, blobs.ErrNoSpace)
}

func TestFullDiskTakesTheWriteBack(t *testing.T) {
	for _, size := range []int{1000, 2 << 20} {
		dir := t.TempDir()
		fsys := faultfs.New(dir)
		s := open(t, blobs.Config{Dir: dir, FS: fsys})
		p := content(1, size)
		id := begin(t, s)
		write(t, s, id, p[:100])
		fsys.Fill(true)
		offset, err := s.Write(t.Context(), repo, id, 100, bytes.NewReader(p[100:]))
		mustBe(t, err, blobs.ErrNoSpace)
		if offset != 100 {
			t.Fatalf("offset %d after the disk was full", offset)
		}
		_, err = s.Put(t.Context(), digestOf(p), bytes.NewReader(p), -1, nil)
		mustBe(t, err, blobs.ErrNoSpace)
		if names := files(t, dir, "uploads"); len(names) != 1 {
			t.Fatalf("uploads: %v", names)
		}
		fsys.Fill(false)
		write(t, s, id, p[100:])
		_, err = s.Finish(t.Context(), repo, id, digestOf(p), nil)
		check(t, err)
		mustRead(t, s, digestOf(p), p)
	}
}

func TestFailedSyncLosesTheBlob(t *testing.T) {
	dir := t.TempDir()
	fsys := faultfs.New(dir)
	s := open(t, blobs.Config{Dir: dir, FS: fsys})
	d := push(t, s, []byte("hello"))
	lost := errors.New("input/output error")
	fsys.FailSyncs(lost)
	mustBe(t, s.Sync(t.Context(), d), lost)
	fsys.FailSyncs(nil)
	mustBe(t, s.Sync(t.Context(), d), blobs.ErrNotFound) // never again "durable"
	push(t, s, []byte("hello"))
	check(t, s.Sync(t.Context(), d))
	mustRead(t, s, d, []byte("hello"))
}

package streams_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

func deletion(t *testing.T) events.Event {
	t.Helper()
	e, err := events.New(events.TagDeleted{Namespace: "n", Repository: "r", Tag: "t"}, events.Meta{ID: "id-del", Source: "/test"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestReserveLeavesRoomForDeletions(t *testing.T) {
	ctx := context.Background()
	whole := false
	l := streamtest.OpenConfig(t, streams.Config{Dir: t.TempDir(), Reserve: func() bool { return whole }})
	if _, err := l.Append(ctx, newEvent(t, "id", "alice"), 0); !errors.Is(err, events.ErrNoSpace) {
		t.Errorf("below the reserve: %v", err)
	}
	if _, err := l.Append(ctx, deletion(t), 0); err != nil {
		t.Errorf("a deletion below the reserve: %v", err)
	}
	whole = true
	if _, err := l.Append(ctx, newEvent(t, "id", "alice"), 0); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

func TestByteLimitLeavesRoomForDeletions(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := mustOpenConfig(t, streams.Config{Dir: dir, MaxBytes: 64 << 10})
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = l.Append(ctx, newEvent(t, fmt.Sprint("id-", n), fmt.Sprint("name-", n)), 0)
	}
	if !errors.Is(err, events.ErrNoSpace) {
		t.Fatalf("after %d events: %v", n, err)
	}
	if _, err := l.Append(ctx, deletion(t), 0); err != nil {
		t.Errorf("a deletion at the limit: %v", err)
	}
	// An operator who gives it more room sees it work again, and the stream
	// is as defined.
	mustClose(t, l)
	l = mustOpenConfig(t, streams.Config{Dir: dir, MaxBytes: 1 << 20})
	if _, err := l.Append(ctx, newEvent(t, "id-more", "more"), 0); err != nil {
		t.Errorf("with a higher limit: %v", err)
	}
	if err := (&streams.Guard{Log: l, Journal: memoryJournal(nil)}).Check(ctx); err != nil {
		t.Error(err)
	}
}

func mustOpenConfig(t *testing.T, c streams.Config) *streams.Log {
	t.Helper()
	c.Logger = quiet("").Logger
	l, err := streams.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(context.Background()) })
	return l
}

// Others fill the disk to the last byte: what relieves is appended in the space that
// was kept, secrets with it, and everything is accepted when there is space again.
func TestFullDiskTakesWhatRelieves(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=96m"); err != nil {
		t.Skip("a file system of limited size needs root: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, 0) })
	others := filepath.Join(dir, "others")
	l := mustOpenConfig(t, streams.Config{Dir: filepath.Join(dir, "data"), Ballast: 32 << 20,
		Reserve: func() bool { _, err := os.Stat(others); return err != nil }})
	secret, err := streams.OpenSecrets(ctx, l, filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	appendN(t, l, 1, 10)
	guard := func() {
		g := &streams.Guard{Log: l, Journal: journalOf(t, l, 10), Logger: quiet("").Logger, Every: 10 * time.Millisecond}
		run, stop := context.WithCancel(ctx)
		done := make(chan error)
		go func() { done <- g.Run(run) }()
		for {
			if info, err := os.Stat(filepath.Join(dir, "data/ballast")); err == nil && info.Size() == 32<<20 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		<-done
	}
	guard()
	fill(t, others)
	if _, err := l.Append(ctx, newEvent(t, "id-11", "name-11"), 0); !errors.Is(err, events.ErrNoSpace) {
		t.Errorf("on a full disk: %v", err)
	}
	if err := secret.Put(ctx, "user.x.password", []byte("hash")); err != nil {
		t.Errorf("a secret on a full disk: %v", err)
	}
	for k := range 2000 {
		e := deletion(t)
		e.Set(events.AttrID, fmt.Sprint("id-del-", k))
		if _, err := l.Append(ctx, e, events.AnySeq); err != nil {
			t.Fatalf("deletion %d on a full disk: %v", k, err)
		}
	}
	// Others take the rest, too: the log refuses before a write can fail half-way.
	fill(t, filepath.Join(dir, "more"))
	e := deletion(t)
	e.Set(events.AttrID, "id-del-last")
	if _, err := l.Append(ctx, e, events.AnySeq); !errors.Is(err, events.ErrNoSpace) {
		t.Errorf("without any space: %v", err)
	}
	if err := secret.Put(ctx, "user.x.password", []byte("hash")); !errors.Is(err, events.ErrNoSpace) {
		t.Errorf("a secret without any space: %v", err)
	}
	for _, name := range []string{"others", "more"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Append(ctx, newEvent(t, "id-11", "name-11"), 0); err != nil {
		t.Errorf("with space again: %v", err)
	}
	guard()
	mustClose(t, l)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func TestFailedWriteIsNeverAcknowledged(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := mustOpen(t, dir)
	appendN(t, l, 1, 9)
	// The limit is this process's: the log's file has to be its largest.
	big := newEvent(t, "id-10", "name-10")
	big.Data = fmt.Appendf(nil, "%q", strings.Repeat("x", 4<<20))
	if _, err := l.Append(ctx, big, 0); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(blockFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	restore := limitFileSize(t, uint64(info.Size())+100)
	_, err = l.Append(ctx, newEvent(t, "id-11", "name-11"), 0)
	restore()
	if !errors.Is(err, events.ErrReadOnly) || !errors.Is(err, streams.ErrUncertain) {
		t.Fatalf("a write that fails half-way: %v", err)
	}
	var found *streams.GuardError
	if !errors.As(err, &found) || found.Reason != streams.ReasonWrite {
		t.Errorf("the reason is %v", err)
	}
	if e, err := l.Get(ctx, 10); err != nil || e.ID() != "id-10" {
		t.Errorf("reading goes on: %v, %v", e, err)
	}
	mustClose(t, l)
	l = mustOpen(t, dir)
	appendN(t, l, 11, 15)
	if err := (&streams.Guard{Log: l, Journal: journalOf(t, l, 15)}).Check(ctx); err != nil {
		t.Error(err)
	}
}

// limitFileSize makes writes behind that size fail in this process.
func limitFileSize(t *testing.T, size uint64) (restore func()) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
	}
}

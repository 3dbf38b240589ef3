package registry_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/registry"
	"hubledger/services/registry/gc"
	"hubledger/services/registry/registrytest"
)

// After the loss of the operational store nobody knows who is uploading what.
func TestCollectRestsOnAFreshStore(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{LeaseTerm: time.Hour})
	leave(t, h, h.Client(), "unheld")
	old := time.Now().Add(-2 * time.Hour)
	check(t, os.Chtimes(filepath.Join(h.Dir, "registry", "blobs", "sha256", registrytest.Sum("unheld").Encoded()), old, old))
	h.Close()
	for _, name := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(h.Dir, "operations.db"+name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	h.Open()
	got, err := h.Registry.GC.Collect(t.Context(), 0, func(int) {})
	check(t, err)
	if got.Resting == "" || got.Swept != 0 || got.Seen != 0 || len(stored(t, h)) != 1 {
		t.Fatalf("%+v", got)
	}
	if collect(t, h, 0) != 1 { // when a term has passed
		t.Fatal("it rests for ever")
	}
}

// While events are parked, holds may be missing: nothing is taken.
func TestCollectStopsAtParkedEvents(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c, ctx := h.Client(), t.Context()
	c.MustPush(t, "alice/app", "1", registrytest.NewImage("live"))
	leave(t, h, c, "unheld")
	id := idOf(t, h, "alice/app")
	// A push that this version of the projection cannot read.
	poison := events.ImagePushed{Namespace: id.Namespace, Repository: id.Repository, Tag: "poison", Digest: registrytest.Sum("x"), MediaType: "x", Manifest: []byte("not JSON")}
	check(t, second(command.Append(ctx, h.Log, registrytest.By, poison, events.AnySeq)))
	until(t, h.Runner.HasParked)
	before := stored(t, h)
	for range 2 {
		if got, err := h.Collector().Collect(ctx, 0, func(int) {}); err == nil || got.Swept > 0 {
			t.Fatalf("swept %d, %v", got.Swept, err)
		}
		// The parked event need not be the log's last.
		c.MustPush(t, "bob/app", "1", registrytest.NewImage("later"))
		before = stored(t, h)
		h.EndLeases("bob/app")
	}
	if _, err := h.Collector().Collect(ctx, 0, func(int) {}); !errors.Is(err, gc.ErrParked) {
		t.Errorf("refused by %v", err)
	}
	if !slices.Equal(stored(t, h), before) {
		t.Error("blobs are gone")
	}
	check(t, c.PushBlob("alice/app", "unheld")) // nobody waits for marks that nobody will clear
}

// A process that dies anywhere in a collection leaves nothing that stays: the
// next one takes what is left, and pushes of it work meanwhile.
func TestCollectKilled(t *testing.T) {
	t.Parallel()
	crashed := errors.New("the process is dead")
	for _, point := range []string{"after the mark", "after the append", "after the first unlink"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dead, reached := make(chan struct{}), make(chan struct{}, 1)
			armed := true
			die := func() error {
				if !armed {
					return nil
				}
				reached <- struct{}{}
				<-dead
				return crashed
			}
			fs := &registrytest.HookedFS{}
			hook := &registrytest.HookedLog{}
			isSweep := func(e *events.Event) bool { return e.Type() == events.BlobsSwept{}.EventType() }
			switch point {
			case "after the mark":
				hook.Before = func(e *events.Event) error {
					if isSweep(e) {
						return die()
					}
					return nil
				}
			case "after the append":
				hook.After = func(e *events.Event) error {
					if isSweep(e) {
						return die()
					}
					return nil
				}
			case "after the first unlink":
				removed := 0
				fs.Before = func(op, path string) error {
					if op == "remove" && strings.Contains(path, "/blobs/") {
						if removed++; removed == 2 {
							return die()
						}
					}
					return nil
				}
			}
			h := registrytest.Start(t, registrytest.Config{FS: fs,
				Log: func(log registry.Log) registry.Log { hook.Log = log; return hook }})
			c := h.Client()
			contents := []string{"one", "two", "three"}
			leave(t, h, c, contents...)
			collecting := make(chan error, 1)
			old := h.Collector()
			go func() { collecting <- second(old.Collect(context.Background(), 0, func(int) {})) }()
			<-reached
			armed = false
			h.Close() // what the collection still does from here is after its death
			close(dead)
			if err := <-collecting; err == nil {
				t.Fatal("it was to die")
			}
			h.Open()
			c = h.Client()
			marks, err := h.Leases.Leaving(t.Context())
			check(t, err)
			if len(marks) != len(contents) {
				t.Fatalf("%d marks after the crash", len(marks))
			}
			check(t, h.Registry.GC.FinishSweeps(t.Context())) // as serve does at its start
			check(t, c.PushBlob("alice/app", "two"))
			wantBlob(t, c, "alice/app", "two", registrytest.Sum("two"))
			h.EndLeases("alice/app")
			collect(t, h, 0)
			if left := stored(t, h); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			for _, content := range contents {
				check(t, c.PushBlob("alice/app", content))
				wantBlob(t, c, "alice/app", content, registrytest.Sum(content))
			}
		})
	}
}

// A failing disk or log ends a collection, and nobody waits for its marks.
func TestCollectFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, what := range []string{"append", "unlink"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			fails := true
			fs := &registrytest.HookedFS{Before: func(op, path string) error {
				if fails && what == "unlink" && op == "remove" && strings.Contains(path, "/blobs/") {
					return broken
				}
				return nil
			}}
			hook := &registrytest.HookedLog{Before: func(e *events.Event) error {
				if fails && what == "append" && e.Type() == (events.BlobsSwept{}).EventType() {
					return broken
				}
				return nil
			}}
			h := registrytest.Start(t, registrytest.Config{FS: fs,
				Log: func(log registry.Log) registry.Log { hook.Log = log; return hook }})
			c := h.Client()
			leave(t, h, c, "content")
			if _, err := h.Collector().Collect(t.Context(), 0, func(int) {}); !errors.Is(err, broken) {
				t.Fatal(err)
			}
			leave(t, h, c, "content")
			fails = false
			if collect(t, h, 0) != 1 || len(stored(t, h)) > 0 {
				t.Error("the next collection does not finish")
			}
		})
	}
}

// What a disk has spoilt and nobody needs goes as well.
func TestCollectTakesDamagedBlobs(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	d := registrytest.Sum("damaged")
	leave(t, h, h.Client(), "damaged")
	h.Blobs.MarkDamaged(d)
	check(t, h.Leases.MarkDamaged(t.Context(), d, "for the test"))
	collect(t, h, 0)
	if left := stored(t, h); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	listed, err := h.Leases.Damaged(t.Context())
	check(t, err)
	if len(listed) > 0 {
		t.Errorf("still listed: %v", listed)
	}
}

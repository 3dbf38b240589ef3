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

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/registry"
	"hubledger/services/registry/registrytest"
)

// stored lists the blobs that are in the store, sorted.
func stored(t testing.TB, h *registrytest.Hub) []digest.Digest {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.Dir, "registry", "blobs", "sha256"))
	check(t, err)
	list := []digest.Digest{}
	for _, e := range entries {
		list = append(list, digest.NewDigestFromEncoded(digest.SHA256, e.Name()))
	}
	return list
}

// collect takes what has no lease and no image, and says how much that was.
func collect(t testing.TB, h *registrytest.Hub, window time.Duration) int {
	t.Helper()
	c, err := h.Collector().Collect(t.Context(), window, func(int) {})
	check(t, err)
	return c.Swept
}

// leave uploads content that no manifest names and nobody holds any more.
func leave(t testing.TB, h *registrytest.Hub, c *registrytest.Client, contents ...string) {
	t.Helper()
	for _, content := range contents {
		check(t, c.PushBlob("alice/left", content))
	}
	check(t, h.Blobs.Sync(t.Context(), digestsOf(contents...)...))
	h.EndLeases("alice/left")
}

// Of all that is in the store, what a live or restorable manifest needs stays,
// and everything else goes.
func TestCollectTakesWhatNothingHolds(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		live := c.MustPush(t, "alice/app", "1", registrytest.NewImage("live", "shared"))
		untagged := c.MustPush(t, "alice/app", "2", registrytest.NewImage("untagged"))
		c.MustPush(t, "alice/app", "2", live)
		deleted := c.MustPush(t, "alice/app", "3", registrytest.NewImage("deleted", "shared"))
		again := c.MustPush(t, "alice/app", "4", registrytest.NewImage("pushed again"))
		child := c.MustPush(t, "alice/app", "", registrytest.NewImage("child"))
		c.MustPush(t, "alice/app", "all", registrytest.NewIndex(child))
		c.MustPush(t, "bob/app", "1", registrytest.NewImage("with its repository"))
		undone := c.MustPush(t, "alice/app", "5", registrytest.NewImage("undone"))
		for _, content := range []string{"never in a manifest", "dropped"} {
			check(t, c.PushBlob("alice/app", content))
		}
		check(t, h.Blobs.Sync(ctx, digestsOf("never in a manifest", "dropped")...))
		c.Must(t, "DELETE", "/v2/alice/app/blobs/"+registrytest.Sum("dropped").String(), nil).Want(t, 202)
		for _, i := range []*registrytest.Image{deleted, again, undone} {
			c.Must(t, "DELETE", "/v2/alice/app/manifests/"+i.Digest().String(), nil).Want(t, 202)
		}
		c.MustPush(t, "alice/app", "4", again)
		check(t, second(h.Registry.RestoreManifest(ctx, registrytest.By, "alice/app", undone.Digest())))
		check(t, second(h.Registry.DeleteRepository(ctx, registrytest.By, "bob/app")))
		want := func(images ...*registrytest.Image) []digest.Digest {
			var contents []string
			for _, i := range images {
				contents = append(contents, i.Blobs...)
			}
			return slices.Compact(digestsOf(contents...))
		}
		h.EndLeases("alice/app", "bob/app")
		before := stored(t, h)
		// Within the undelete window only what no image ever held.
		swept := collect(t, h, time.Hour)
		if got := stored(t, h); swept != 2 || len(got) != len(before)-2 {
			t.Fatalf("swept %d, %d of %d are left", swept, len(got), len(before))
		}
		swept += collect(t, h, 0)
		kept := want(live, untagged, again, child, undone)
		if got := stored(t, h); !slices.Equal(got, kept) {
			t.Fatalf("kept %d blobs, want %d:\n%v\n%v", len(got), len(kept), got, kept)
		}
		if swept != len(before)-len(kept) || h.Counts.Swept.Value() != int64(swept) {
			t.Errorf("swept %d, counted %d, gone are %d", swept, h.Counts.Swept.Value(), len(before)-len(kept))
		}
		wantPulls(t, c, "alice/app", true, "1", "2", "4", "5", "all", untagged.Digest().String())
		// The log says what was taken, before it was.
		var said []digest.Digest
		for _, e := range h.Events() {
			if p, err := events.Decode(&e); err == nil {
				if s, ok := p.(events.BlobsSwept); ok {
					for _, b := range s.Blobs {
						said = append(said, b.Digest)
					}
				}
			}
		}
		slices.Sort(said)
		gone := slices.DeleteFunc(before, func(d digest.Digest) bool { return slices.Contains(kept, d) })
		if !slices.Equal(said, gone) {
			t.Errorf("the log says %v, gone are %v", said, gone)
		}
		marks, err := h.Leases.Leaving(ctx)
		check(t, err)
		if len(marks) > 0 {
			t.Errorf("marks remain: %v", marks)
		}
		h.Rebuilt()
	})
}

// Nothing goes before its term: neither after an upload, nor after a lease or
// an image's life has ended.
func TestCollectWaitsForTheTerm(t *testing.T) {
	t.Parallel()
	const term = 300 * time.Millisecond
	h := registrytest.Start(t, registrytest.Config{LeaseTerm: term})
	until(t, func() bool { return time.Since(h.Leases.Created()) > term })
	c, ctx := h.Client(), t.Context()
	check(t, h.Leases.Take(ctx, "alice/app", time.Now().Add(time.Hour), digestsOf("leased", "lease ended")...))
	i := registrytest.NewImage("deleted")
	_, err := h.Blobs.Put(ctx, registrytest.Sum("leased"), strings.NewReader("leased"), -1)
	check(t, err)
	_, err = h.Blobs.Put(ctx, registrytest.Sum("lease ended"), strings.NewReader("lease ended"), -1)
	check(t, err)
	check(t, h.Blobs.Sync(ctx, digestsOf("leased", "lease ended")...))
	until(t, func() bool { return c.Push("alice/app", "1", i) == nil }) // its leases may be too short on a slow machine
	old := time.Now().Add(-time.Hour) // nothing stays because it is young
	for _, content := range append(i.Blobs, "leased", "lease ended") {
		check(t, os.Chtimes(filepath.Join(h.Dir, "registry", "blobs", "sha256", registrytest.Sum(content).Encoded()), old, old))
	}
	for _, content := range i.Blobs {
		check(t, second(h.Leases.Drop(ctx, "alice/app", registrytest.Sum(content))))
	}
	gone := func(content string) bool {
		_, err := h.Blobs.Stat(registrytest.Sum(content))
		return err != nil
	}
	// Each is watched from before its hold ends until it is gone.
	for content, end := range map[string]func(){
		"lease ended": func() { check(t, second(h.Leases.Drop(ctx, "alice/app", registrytest.Sum("lease ended")))) },
		"deleted":     func() { c.Must(t, "DELETE", "/v2/alice/app/manifests/"+i.Digest().String(), nil).Want(t, 202) },
	} {
		check(t, second(h.Registry.Collect(ctx, 0, func(int) {})))
		if gone(content) {
			t.Fatalf("%q is gone while it was held", content)
		}
		begun := time.Now()
		end()
		until(t, func() bool { check(t, second(h.Registry.Collect(ctx, 0, func(int) {}))); return gone(content) })
		if took := time.Since(begun); took < term {
			t.Errorf("%q is gone after %s, before its term of %s", content, took, term)
		}
	}
	if gone("leased") {
		t.Error("a leased blob is gone")
	}
}

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
	got, err := h.Registry.Collect(t.Context(), 0, func(int) {})
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
	if _, err := h.Collector().Collect(ctx, 0, func(int) {}); !errors.Is(err, registry.ErrParked) {
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
			check(t, h.Registry.FinishSweeps(t.Context())) // as serve does at its start
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

// A blob that a push has come to hold since it was looked at stays, also when
// the lease of that push has ended by the time the marks are given.
func TestCollectLooksAgain(t *testing.T) {
	t.Parallel()
	var looked []string
	onSecond := func() {}
	fs := &registrytest.HookedFS{Before: func(op, path string) error {
		if _, ok := blobAt(path); ok && op == "look" {
			if looked = append(looked, path); len(looked) == 2 {
				onSecond()
			}
		}
		return nil
	}}
	h := registrytest.Start(t, registrytest.Config{FS: fs})
	c := h.Client()
	contents := map[digest.Digest]string{}
	for _, content := range []string{"one", "two"} {
		leave(t, h, c, content)
		contents[registrytest.Sum(content)] = content
	}
	var kept *registrytest.Image
	onSecond = func() {
		onSecond = func() {}
		first, _ := blobAt(looked[0])
		kept = c.MustPush(t, "alice/app", "1", registrytest.NewImage(contents[first]))
		h.EndLeases("alice/app")
	}
	looked = nil
	if swept := collect(t, h, 0); swept != 1 || kept == nil {
		t.Errorf("swept %d", swept)
	}
	wantPulls(t, c, "alice/app", true, "1")
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

// A push of a blob on its way out waits until it is gone and puts it back.
func TestPushOfWhatIsBeingSwept(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		const content = "on its way out"
		d := registrytest.Sum(content)
		going, goOn := make(chan struct{}), make(chan struct{})
		hook := &registrytest.HookedLog{Before: func(e *events.Event) error {
			if e.Type() == (events.BlobsSwept{}).EventType() {
				close(going)
				<-goOn
			}
			return nil
		}}
		h.Config.Log = func(log registry.Log) registry.Log { hook.Log = log; return hook }
		h.Restart()
		c := h.Client()
		img := registrytest.NewImage(content)
		leave(t, h, c, content)
		collected := make(chan error, 1)
		collector := h.Collector()
		go func() { collected <- second(collector.Collect(context.Background(), 0, func(int) {})) }()
		<-going
		for _, method := range []string{"HEAD", "GET"} { // it reads as absent
			c.Must(t, method, "/v2/alice/app/blobs/"+d.String(), nil).Want(t, 404)
		}
		c.Must(t, "POST", "/v2/bob/app/blobs/uploads/?from=alice/app&mount="+d.String(), nil).Want(t, 202)
		pushed := make(chan error, 1)
		c2 := h.Client()
		go func() { pushed <- c2.Push("alice/app", "1", img) }()
		// The push cannot end before the sweep does; that it has begun to wait is
		// not to be seen from outside, but one that does not wait would be done by now.
		select {
		case err := <-pushed:
			t.Fatalf("the push did not wait: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		close(goOn)
		check(t, <-collected)
		check(t, <-pushed)
		wantPulls(t, c, "alice/app", true, "1")
	})
}

// Who has seen a blob in a repository can name it in a manifest for the time
// of half a lease term, also when the image that held it is deleted meanwhile.
func TestBlobSeenCanBePushed(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		first := c.MustPush(t, "alice/app", "1", registrytest.NewImage("shared"))
		next := registrytest.NewImage("shared", "new")
		check(t, h.Leases.DropRepository(t.Context(), "alice/app"))
		for _, content := range []string{next.Blobs[0], "new"} {
			check(t, c.PushBlob("alice/app", content))
		}
		if has, err := c.HasBlob("alice/app", registrytest.Sum("shared")); !has || err != nil {
			t.Fatal("the image's layer is not there", err)
		}
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+first.Digest().String(), nil).Want(t, 202)
		if _, err := c.PutManifest("alice/app", "2", next); err != nil {
			t.Fatal(err)
		}
		wantPulls(t, c, "alice/app", true, "2")
		// Not so in another repository, and not after the term.
		if _, err := c.PutManifest("bob/app", "2", next); registrytest.Refused(err) != 400 {
			t.Errorf("another repository: %v", err)
		}
	})
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

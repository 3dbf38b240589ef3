package registry_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/registry"
	"hubledger/services/registry/registrytest"
)

// A blob that a push has come to hold since it was looked at stays, also when
// the lease of that push has ended by the time the marks are given.
func TestCollectLooksAgain(t *testing.T) {
	t.Parallel()
	looks := make(chan digest.Digest, 2)
	var onSecond atomic.Pointer[func()]
	fs := &registrytest.HookedFS{Before: func(op, path string) error {
		if d, ok := blobAt(path); ok && op == "look" && onSecond.Load() != nil {
			select {
			case looks <- d:
				if len(looks) == 2 {
					(*onSecond.Load())()
				}
			default:
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
	push := func() {
		onSecond.Store(nil)
		kept = c.MustPush(t, "alice/app", "1", registrytest.NewImage(contents[<-looks]))
		h.EndLeases("alice/app")
	}
	onSecond.Store(&push)
	if swept := collect(t, h, 0); swept != 1 || kept == nil {
		t.Errorf("swept %d", swept)
	}
	wantPulls(t, c, "alice/app", true, "1")
}

// Between the moment in which a push is found good and the one in which its
// image is known, nothing but its pin holds its blobs.
func TestCollectLeavesWhatIsBeingPushed(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		collected := 0
		now := func(e *events.Event) error {
			if e.Type() == (events.ImagePushed{}).EventType() {
				collected++
				h.EndLeases("alice/app")
				return second(h.Collector().Collect(context.Background(), 0, func(int) {}))
			}
			return nil
		}
		hook := &registrytest.HookedLog{Before: now, After: now}
		h.Config.Log = func(log registry.Log) registry.Log { hook.Log = log; return hook }
		h.Restart()
		c := h.Client()
		leave(t, h, c, "unheld")
		c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
		wantPulls(t, c, "alice/app", true, "1")
		if got := stored(t, h); collected != 2 || len(got) != 2 {
			t.Errorf("collected %d times, %v are left", collected, got)
		}
	})
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

// No look at a blob lengthens its lease: one that no manifest ever names leaves.
// It is seen while the client has the time to push, and can be named to the end.
func TestLookingKeepsNoBlob(t *testing.T) {
	onEach(t, registrytest.Config{LeaseTerm: time.Hour}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		image := registrytest.NewImage("layer")
		layer := registrytest.Sum("layer")
		ends := func(repo string) time.Time {
			until, _, err := h.Leases.Has(t.Context(), repo, layer)
			check(t, err)
			return until
		}
		for _, content := range append(image.Blobs, "config") {
			check(t, c.PushBlob("alice/app", content))
		}
		for _, row := range []struct {
			left time.Duration
			sees bool
		}{{40 * time.Minute, true}, {29 * time.Minute, false}} {
			_, err := h.Leases.Drop(t.Context(), "alice/app", layer)
			check(t, err)
			check(t, h.Leases.Take(t.Context(), "alice/app", time.Now().Add(row.left), layer))
			before := ends("alice/app")
			for _, who := range []string{"tester", "anonymous"} {
				for _, method := range []string{"HEAD", "GET"} {
					want := map[bool]int{true: 200, false: 404}[row.sees]
					c.Must(t, method, "/v2/alice/app/blobs/"+layer.String(), nil, registrytest.AsHeader, who).Want(t, want)
				}
			}
			for k, mount := range []string{"&from=alice/app", ""} {
				to := fmt.Sprint("bob/app", k)
				_, err := h.Leases.Drop(t.Context(), to, layer)
				check(t, err)
				want := map[bool]int{true: 201, false: 202}[row.sees]
				c.Must(t, "POST", "/v2/"+to+"/blobs/uploads/?mount="+layer.String()+mount, nil).Want(t, want)
				// To and fro makes it no longer either.
				c.Must(t, "POST", "/v2/alice/app/blobs/uploads/?mount="+layer.String()+"&from="+to, nil)
				if row.sees && !ends(to).Equal(before) {
					t.Errorf("mounted until %s from a lease until %s", ends(to), before)
				}
			}
			if !ends("alice/app").Equal(before) {
				t.Errorf("the lease until %s ends at %s now", before, ends("alice/app"))
			}
		}
		if _, err := c.PutManifest("alice/app", "1", image); err != nil {
			t.Fatal("what was uploaded cannot be named while its lease lasts:", err)
		}
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

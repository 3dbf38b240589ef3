package registry_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
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
		if swept != len(before)-len(kept) || registrytest.Value(t, h.Metrics.Swept) != int64(swept) {
			t.Errorf("swept %d, counted %d, gone are %d", swept, registrytest.Value(t, h.Metrics.Swept), len(before)-len(kept))
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
	_, err := h.Blobs.Put(ctx, registrytest.Sum("leased"), strings.NewReader("leased"), -1, nil)
	check(t, err)
	_, err = h.Blobs.Put(ctx, registrytest.Sum("lease ended"), strings.NewReader("lease ended"), -1, nil)
	check(t, err)
	check(t, h.Blobs.Sync(ctx, digestsOf("leased", "lease ended")...))
	until(t, func() bool { return c.Push("alice/app", "1", i) == nil }) // its leases may be too short on a slow machine
	old := time.Now().Add(-time.Hour)                                   // nothing stays because it is young
	for _, content := range append(i.Blobs, "leased", "lease ended") {
		check(t, os.Chtimes(filepath.Join(h.Dir, "registry", "blobs", "sha256", registrytest.Sum(content).Encoded()), old, old))
	}
	for _, content := range i.Blobs {
		check(t, second(h.Leases.Drop(ctx, "alice/app", registrytest.Sum(content))))
	}
	gone := func(content string) bool {
		_, err := h.Blobs.Stat(ctx, registrytest.Sum(content))
		return err != nil
	}
	// Each is watched from before its hold ends until it is gone.
	for content, end := range map[string]func(){
		"lease ended": func() { check(t, second(h.Leases.Drop(ctx, "alice/app", registrytest.Sum("lease ended")))) },
		"deleted":     func() { c.Must(t, "DELETE", "/v2/alice/app/manifests/"+i.Digest().String(), nil).Want(t, 202) },
	} {
		check(t, second(h.Registry.GC.Collect(ctx, 0, func(int) {})))
		if gone(content) {
			t.Fatalf("%q is gone while it was held", content)
		}
		begun := time.Now()
		end()
		until(t, func() bool { check(t, second(h.Registry.GC.Collect(ctx, 0, func(int) {}))); return gone(content) })
		if took := time.Since(begun); took < term {
			t.Errorf("%q is gone after %s, before its term of %s", content, took, term)
		}
	}
	if gone("leased") {
		t.Error("a leased blob is gone")
	}
}

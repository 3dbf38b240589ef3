package registry_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/registrytest"
)

// A blob that rotted on the disk is found, reads as absent from then on, also
// after a restart, and is repaired by the next push of it.
func TestDamagedBlob(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		const content = "a layer of two images"
		d := registrytest.Sum(content)
		img := c.MustPush(t, "alice/app", "1", registrytest.NewImage(content))
		c.MustPush(t, "alice/app", "latest", img)
		c.MustPush(t, "bob/app", "", registrytest.NewImage("another", content))
		c.MustPush(t, "carol/app", "1", registrytest.NewImage("sound"))
		path := "/v2/alice/app/blobs/" + d.String()
		check(t, h.Leases.DropRepository(ctx, "alice/app")) // from here only the images hold it
		c.Must(t, "HEAD", path, nil).Want(t, 200)
		c.Must(t, "GET", path, nil).Want(t, 200) // known to the cache

		file := filepath.Join(h.Dir, "registry", "blobs", "sha256", d.Encoded())
		raw, err := os.ReadFile(file)
		check(t, err)
		raw[3] ^= 1
		check(t, os.WriteFile(file, raw, 0o600))
		var breaks []images.Image
		verify := func() (found []digest.Digest, seen int64) {
			t.Helper()
			check(t, h.Registry.VerifyBlobs(ctx, func(p blobs.Progress) { seen = p.Blobs },
				func(d digest.Digest, problem error, images []images.Image) error {
					found, breaks = append(found, d), images
					return nil
				}))
			return found, seen
		}
		if found, seen := verify(); !slices.Equal(found, []digest.Digest{d}) || seen != 6 {
			t.Fatalf("found %v among %d", found, seen)
		}
		if len(breaks) != 2 || breaks[0].Repository != "alice/app" || breaks[0].Digest != img.Digest() ||
			!slices.Equal(breaks[0].Tags, []string{"1", "latest"}) || breaks[1].Repository != "bob/app" || breaks[1].Tags != nil {
			t.Errorf("it breaks %+v", breaks)
		}
		for range 2 {
			for _, method := range []string{"GET", "HEAD"} {
				c.Must(t, method, path, nil).Want(t, 404)
			}
			c.Must(t, "POST", "/v2/dave/app/blobs/uploads/?from=alice/app&mount="+d.String(), nil).Want(t, 202)
			c.Must(t, "PUT", "/v2/alice/app/manifests/2", img.Manifest, "Content-Type", img.MediaType).WantError(t, 400, "MANIFEST_BLOB_UNKNOWN")
			if _, err := c.Pull("carol/app", "1"); err != nil {
				t.Error(err)
			}
			h.Restart()
			c = h.Client()
			marked, err := h.Leases.Damaged(ctx)
			check(t, err)
			if len(marked) != 1 || marked[0].Digest != d {
				t.Fatalf("marked after a restart: %v", marked)
			}
		}
		c.MustPush(t, "alice/app", "1", img) // as any client: HEAD says that the layer is missing
		for _, name := range []string{"alice/app", "bob/app"} {
			c.Must(t, "GET", "/v2/"+name+"/blobs/"+d.String(), nil).Want(t, 200).WantBody(t, content)
		}
		wantPulls(t, c, "alice/app", true, "1", "latest")
		if found, _ := verify(); len(found) > 0 {
			t.Errorf("still damaged: %v", found)
		}
		if marked, err := h.Leases.Damaged(ctx); err != nil || len(marked) > 0 {
			t.Errorf("still listed: %v, %v", marked, err)
		}
	})
}

// A file that somebody removed is missed at once.
func TestLostBlob(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	img := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
	check(t, h.Leases.DropRepository(t.Context(), "alice/app"))
	wantPulls(t, c, "alice/app", true, "1")
	d := registrytest.Sum("layer")
	check(t, os.Remove(filepath.Join(h.Dir, "registry", "blobs", "sha256", d.Encoded())))
	for _, method := range []string{"HEAD", "GET"} {
		c.Must(t, method, "/v2/alice/app/blobs/"+d.String(), nil).Want(t, 404)
	}
	c.MustPush(t, "alice/app", "1", img)
	wantPulls(t, c, "alice/app", true, "1")
}

// A push that names one blob too many must not keep others from the rest.
func TestSyncWithOneMissing(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	check(t, h.Client().PushBlob("alice/app", "there"))
	there, missing := registrytest.Sum("there"), registrytest.Sum("missing")
	if err := h.Blobs.Sync(t.Context(), there, missing); !errors.Is(err, blobs.ErrNotFound) {
		t.Fatalf("synced what is not there: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	check(t, h.Blobs.Sync(ctx, there))
}

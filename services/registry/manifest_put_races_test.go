package registry_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"hubledger/services/registry/registrytest"
)

// whileSyncing starts a hub that does something, once, while a push makes its
// blobs durable: after all that the push has checked.
func whileSyncing(t *testing.T) (h *registrytest.Hub, do func(func())) {
	t.Helper()
	var next atomic.Pointer[func()]
	fs := &registrytest.HookedFS{Before: func(op, path string) error {
		if op == "rename" && strings.Contains(path, "/blobs/") {
			if f := next.Swap(nil); f != nil {
				(*f)()
			}
		}
		return nil
	}}
	h = registrytest.Start(t, registrytest.Config{FS: fs})
	return h, func(f func()) {
		next.Store(&f)
		t.Cleanup(func() {
			if next.Load() != nil {
				t.Error("no push has made blobs durable")
			}
		})
	}
}

// A push that was checked in one repository does not end in another that has
// taken its name: an index there would name images that are not there.
func TestRepositoryIsReplacedDuringPush(t *testing.T) {
	t.Parallel()
	h, during := whileSyncing(t)
	c := h.Client()
	c.MustPush(t, "alice/app", "old", registrytest.NewImage("old"))
	image := registrytest.NewImage("new")
	for _, content := range image.Blobs {
		check(t, c.PushBlob("alice/app", content))
	}
	during(func() {
		_, err := h.Registry.DeleteRepository(t.Context(), registrytest.By, "alice/app")
		check(t, err)
		h.Client().MustPush(t, "alice/app", "other", registrytest.NewImage("other"))
	})
	c.Must(t, "PUT", "/v2/alice/app/manifests/1", image.Manifest, "Content-Type", image.MediaType).WantError(t, 404, "NAME_UNKNOWN")
	wantPulls(t, c, "alice/app", true, "other")
	wantPulls(t, c, "alice/app", false, "1", image.Digest().String())
	h.Rebuilt()
}

// A push goes by the policy of the moment in which it is recorded.
func TestPolicyChangesDuringPush(t *testing.T) {
	t.Parallel()
	h, during := whileSyncing(t)
	c := h.Client()
	first, second := registrytest.NewImage("first"), registrytest.NewImage("second")
	c.MustPush(t, "alice/app", "1.0", first)
	for _, content := range second.Blobs {
		check(t, c.PushBlob("alice/app", content))
	}
	during(func() { once(t, h, "alice/app", ".*") })
	c.Must(t, "PUT", "/v2/alice/app/manifests/1.0", second.Manifest, "Content-Type", second.MediaType).WantError(t, 403, "DENIED")
	if d, err := c.Pull("alice/app", "1.0"); err != nil || d != first.Digest() {
		t.Errorf("the tag is %s, %v", d, err)
	}
}

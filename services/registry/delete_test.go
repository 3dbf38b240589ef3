package registry_test

import (
	"slices"
	"testing"

	"hubledger/services/registry/registrytest"
)

func TestDeleteTag(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		image := c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
		c.MustPush(t, "alice/app", "1.1", image)
		c.Must(t, "DELETE", "/v2/alice/app/manifests/1.0", nil).Want(t, 202)
		for _, method := range []string{"GET", "HEAD", "DELETE"} {
			c.Must(t, method, "/v2/alice/app/manifests/1.0", nil).Want(t, 404)
		}
		for _, ref := range []string{"1.1", image.Digest().String()} {
			_, err := c.Pull("alice/app", ref)
			check(t, err)
		}
		if got := slices.Concat(pages(t, c, "/v2/alice/app/tags/list", "tags")...); !slices.Equal(got, []string{"1.1"}) {
			t.Errorf("tags %q", got)
		}
		c.MustPush(t, "alice/app", "1.0", image)
		_, err := c.Pull("alice/app", "1.0")
		check(t, err)
	})
}

// A manifest goes with every tag that names it, and only with those.
func TestDeleteManifest(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		image := c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
		c.MustPush(t, "alice/app", "1", image)
		c.MustPush(t, "alice/app", "moved", image)
		other := c.MustPush(t, "alice/app", "moved", registrytest.NewImage("other"))
		c.MustPush(t, "bob/app", "1.0", image)
		path := "/v2/alice/app/manifests/" + image.Digest().String()
		for _, ref := range []string{"1.0", "1", "moved"} { // into the cache
			c.Must(t, "GET", "/v2/alice/app/manifests/"+ref, nil).Want(t, 200)
		}
		c.Must(t, "HEAD", "/v2/alice/app/blobs/"+registrytest.Sum("layer").String(), nil).Want(t, 200)
		c.Must(t, "DELETE", path, nil).Want(t, 202)
		for _, ref := range []string{image.Digest().String(), "1.0", "1"} {
			for _, method := range []string{"GET", "HEAD", "DELETE"} {
				c.Must(t, method, "/v2/alice/app/manifests/"+ref, nil).Want(t, 404)
			}
		}
		if d, err := c.Pull("alice/app", "moved"); err != nil || d != other.Digest() {
			t.Errorf("moved is %s, %v", d, err)
		}
		if d, err := c.Pull("bob/app", "1.0"); err != nil || d != image.Digest() {
			t.Errorf("another repository's is %s, %v", d, err)
		}
		if got := slices.Concat(pages(t, c, "/v2/alice/app/tags/list", "tags")...); !slices.Equal(got, []string{"moved"}) {
			t.Errorf("tags %q", got)
		}
		c.Must(t, "DELETE", "/v2/alice/none/manifests/1.0", nil).WantError(t, 404, "NAME_UNKNOWN")
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+registrytest.Sum("none").String(), nil).WantError(t, 404, "MANIFEST_UNKNOWN")
	})
}

// DELETE of a blob ends the repository's lease; what a manifest needs stays.
func TestDeleteBlob(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		check(t, c.PushBlob("alice/app", "leased"))
		check(t, c.PushBlob("bob/app", "leased"))
		leased := "/blobs/" + registrytest.Sum("leased").String()
		c.Must(t, "DELETE", "/v2/alice/app"+leased, nil).Want(t, 202)
		c.Must(t, "GET", "/v2/alice/app"+leased, nil).WantError(t, 404, "BLOB_UNKNOWN")
		c.Must(t, "DELETE", "/v2/alice/app"+leased, nil).WantError(t, 404, "BLOB_UNKNOWN")
		wantBlob(t, c, "bob/app", "leased", registrytest.Sum("leased"))

		image := c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("held"))
		held := "/v2/alice/app/blobs/" + registrytest.Sum("held").String()
		c.Must(t, "DELETE", held, nil).WantError(t, 405, "UNSUPPORTED")
		_, err := c.Pull("alice/app", "1.0")
		check(t, err)
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+image.Digest().String(), nil).Want(t, 202)
		c.Must(t, "DELETE", held, nil).Want(t, 202) // the lease of its upload still holds it
		c.Must(t, "GET", held, nil).Want(t, 404)
		c.Must(t, "DELETE", "/v2/alice/app/blobs/latest", nil).WantError(t, 400, "DIGEST_INVALID")
	})
}

func TestMethodsThatAreNone(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	d := registrytest.Sum("x").String()
	for path, methods := range map[string][]string{
		"/v2/alice/app/manifests/1":    {"POST", "PATCH"},
		"/v2/alice/app/blobs/" + d:     {"POST", "PUT", "PATCH"},
		"/v2/alice/app/blobs/uploads/": {"GET", "PUT", "DELETE"},
		"/v2/alice/app/tags/list":      {"POST", "PUT", "DELETE"},
		"/v2/alice/app/referrers/" + d: {"POST", "PUT", "DELETE"},
		"/v2/_catalog":                 {"POST", "PUT", "DELETE"},
	} {
		for _, method := range methods {
			c.Must(t, method, path, nil).WantError(t, 405, "UNSUPPORTED")
		}
	}
}

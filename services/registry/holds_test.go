package registry_test

import (
	"fmt"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/registrytest"
)

// What the deletion of one end of an edge means for a blob at the other: whether
// it is still held (read), counted (size, quota), and left by garbage collection.
// The four always agree. What a use means is in package cleanup, and what an
// immutable tag protects where tags are deleted.
func TestHoldsAlongEveryEdge(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		for k, row := range []struct {
			edge  string
			push  func(name string) (deletes string) // pushes, and names what goes
			stays bool                               // the layer called watched
		}{
			{"tag to manifest: the tag goes", func(name string) string {
				c.MustPush(t, name, "v1", registrytest.NewImage(name))
				return "v1"
			}, true},
			{"tag to manifest: one of two tags goes", func(name string) string {
				image := c.MustPush(t, name, "v1", registrytest.NewImage(name))
				c.MustPush(t, name, "v2", image)
				return "v1"
			}, true},
			{"tag to manifest: the tag is moved", func(name string) string {
				c.MustPush(t, name, "v1", registrytest.NewImage(name))
				return c.MustPush(t, name, "v1", registrytest.NewImage("other")).Digest().String()
			}, true},
			{"manifest to layer: the manifest goes", func(name string) string {
				return c.MustPush(t, name, "v1", registrytest.NewImage(name)).Digest().String()
			}, false},
			{"manifest to layer: one of two manifests goes", func(name string) string {
				c.MustPush(t, name, "v1", registrytest.NewImage(name))
				return c.MustPush(t, name, "v2", registrytest.NewImage(name, "more")).Digest().String()
			}, true},
			{"manifest to config: the manifest goes", func(name string) string {
				image := registrytest.With(func(m *v1.Manifest) {
					config := registrytest.Layer(name)
					config.MediaType = v1.MediaTypeImageConfig
					m.Config = config
				})
				image.Blobs = []string{name}
				return c.MustPush(t, name, "v1", image).Digest().String()
			}, false},
			{"index to child: the index goes", func(name string) string {
				child := c.MustPush(t, name, "", registrytest.NewImage(name))
				return c.MustPush(t, name, "v1", registrytest.NewIndex(child)).Digest().String()
			}, true},
			{"index to child: the child goes", func(name string) string {
				child := c.MustPush(t, name, "", registrytest.NewImage(name))
				c.MustPush(t, name, "v1", registrytest.NewIndex(child))
				return child.Digest().String()
			}, false},
			{"index to blob: the index goes", func(name string) string {
				check(t, c.PushBlob(name, name))
				return c.MustPush(t, name, "v1", indexOf(registrytest.Layer(name))).Digest().String()
			}, false},
			{"index to blob: the tag goes", func(name string) string {
				check(t, c.PushBlob(name, name))
				c.MustPush(t, name, "v1", indexOf(registrytest.Layer(name)))
				return "v1"
			}, true},
			{"manifest to subject: the subject goes", func(name string) string {
				subject := c.MustPush(t, name, "v1", registrytest.NewImage("subject"))
				of := subject.Descriptor()
				c.MustPush(t, name, "", registrytest.With(func(m *v1.Manifest) { m.Subject = &of }, name))
				return subject.Digest().String()
			}, true},
			{"manifest to subject: the referrer goes", func(name string) string {
				of := c.MustPush(t, name, "v1", registrytest.NewImage(name)).Descriptor()
				return c.MustPush(t, name, "", registrytest.With(func(m *v1.Manifest) { m.Subject = &of }, "signature")).Digest().String()
			}, true},
		} {
			t.Run(row.edge, func(t *testing.T) {
				namespace := fmt.Sprint("owner", k)
				name := namespace + "/app"
				watched := registrytest.Sum(name)
				deletes := row.push(name)
				h.EndLeases(name)
				repo, err := h.Registry.Images.Repository(t.Context(), name)
				check(t, err)
				// bytes are what the namespace takes, in all ways of counting.
				bytes := func() int64 {
					t.Helper()
					u, err := h.Registry.Images.NamespaceUsage(t.Context(), repo.Namespace, false)
					check(t, err)
					of, err := h.Registry.Images.RepositoryUsage(t.Context(), repo.ID, false)
					check(t, err)
					quota, pending, images, err := h.Registry.QuotaUse(t.Context(), repo.Namespace, namespace)
					check(t, err)
					if u.Bytes != of.Bytes || u.Bytes != quota || u.Manifests != images || pending != 0 {
						t.Errorf("the namespace takes %+v, its only repository %+v, and its quota counts %d bytes, %d pending, and %d images", u, of, quota, pending, images)
					}
					return u.Bytes
				}
				before := bytes()
				if has, err := c.HasBlob(name, watched); !has || err != nil {
					t.Fatal("the blob is not there at first", err)
				}
				c.Must(t, "DELETE", "/v2/"+name+"/manifests/"+deletes, nil).Want(t, 202)
				after := bytes()
				gone := func() bool { // a pin of the push may end a moment later
					collect(t, h, 0)
					_, err := h.Blobs.Stat(t.Context(), watched)
					return err != nil
				}
				if row.stays {
					gone()
				} else {
					until(t, gone)
				}
				has, err := c.HasBlob(name, watched)
				check(t, err)
				_, serr := h.Blobs.Stat(t.Context(), watched)
				live, err := h.Registry.Images.HoldsBlob(t.Context(), repo.ID, watched)
				check(t, err)
				if has != row.stays || live != row.stays || (serr == nil) != row.stays {
					t.Errorf("it can be read: %v, is held: %v, is in the store: %v; want %v", has, live, serr == nil, row.stays)
				}
				if freed := before - after; !row.stays && freed < int64(len(name)) {
					t.Errorf("%d bytes are counted less", freed)
				}
				if bytes() != after {
					t.Error("garbage collection changed what counts")
				}
			})
		}
	})
}

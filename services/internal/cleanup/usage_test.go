package cleanup_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/registry/registrytest"
)

// What is said to be an image's own is what deleting it with its tags frees; indexes take what
// their images take, and a signature belongs to what it signs.
func TestByImage(t *testing.T) {
	onEach(t, func(t *testing.T, h *registrytest.Hub) {
		ctx, c := t.Context(), h.Client()
		one := c.MustPush(t, "alice/app", "v1", registrytest.NewImage("one", "shared by two"))
		c.MustPush(t, "alice/app", "v1.0", one)
		two := c.MustPush(t, "alice/app", "v2", registrytest.NewImage("two, which is larger than the others", "shared by two", "shared with bob"))
		child := c.MustPush(t, "alice/app", "", registrytest.NewImage("three"))
		index := c.MustPush(t, "alice/app", "v3", registrytest.NewIndex(child))
		of := one.Descriptor()
		c.MustPush(t, "alice/app", "", registrytest.With(func(m *v1.Manifest) { m.Subject = &of }, "a signature"))
		untagged := c.MustPush(t, "alice/app", "", registrytest.NewImage("never tagged"))
		c.MustPush(t, "bob/app", "v1", registrytest.NewImage("shared with bob"))
		repo := rule(t, h, "alice/app", events.RepositoryPolicy{})

		u, err := cleaner(h, h.Log, 0).ByImage(ctx, repo, true, 10)
		check(t, err)
		if u.Total != 4 || len(u.Images) != 4 || time.Until(u.At).Round(24*time.Hour) != 31*24*time.Hour {
			t.Fatalf("%+v", u)
		}
		blobs := func(images ...*registrytest.Image) (n int64) {
			seen := map[string]bool{}
			for _, i := range images {
				for _, b := range i.Blobs {
					if !seen[b] {
						n += int64(len(b))
					}
					seen[b] = true
				}
			}
			return n
		}
		for _, i := range u.Images {
			switch i.Digest {
			case one.Digest().String():
				signature := registrytest.NewImage("a signature")
				if !slices.Equal(i.Tags, []string{"v1", "v1.0"}) || i.Bytes != blobs(one, signature) || i.Unique != i.Bytes-int64(len("shared by two")) {
					t.Errorf("%+v", i)
				}
			case two.Digest().String():
				if own := blobs(two) - int64(len("shared by two")+len("shared with bob")); i.Bytes != blobs(two) || i.Unique != own {
					t.Errorf("%+v, wanted %d of its own", i, own)
				}
				p, err := cleaner(h, h.Log, 0).PreviewDeletion(ctx, repo, i.Tags, true)
				if check(t, err); p.Bytes != i.Unique {
					t.Errorf("deleting it frees %d, and %d are its own", p.Bytes, i.Unique)
				}
			case index.Digest().String():
				if i.Bytes != blobs(child) || i.Unique != i.Bytes {
					t.Errorf("%+v", i)
				}
			case untagged.Digest().String():
				if len(i.Tags) != 0 || i.Unique != blobs(untagged) {
					t.Errorf("%+v", i)
				}
			default:
				t.Errorf("%+v is no image", i)
			}
		}
		if !slices.IsSortedFunc(u.Images, func(a, b apitypes.ImageUsage) int { return cmp.Compare(b.Unique, a.Unique) }) {
			t.Errorf("not by what they need by themselves: %+v", u.Images)
		}
		// Who may not know what bob has is told of the namespace alone.
		own, err := cleaner(h, h.Log, 0).ByImage(ctx, repo, false, 1)
		if check(t, err); own.Total != 4 || len(own.Images) != 1 {
			t.Errorf("%+v", own)
		}
	})
}

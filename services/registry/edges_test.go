package registry_test

import (
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/registry/registrytest"
)

const cacheConfig = "application/vnd.buildkit.cacheconfig.v0"

// An edge is one way in which something belongs to the image that a tag names.
type edge struct {
	name string
	// push pushes everything but the image itself, and returns the image, with the
	// size that it gives for the part off by that much. after pushes what refers to
	// the image.
	push  func(t *testing.T, c *registrytest.Client, off int64) *registrytest.Image
	after func(t *testing.T, c *registrytest.Client, image *registrytest.Image)
	part  func(image *registrytest.Image) digest.Digest
	blob  string   // the part's content, when it is a blob
	holds []string // blobs that live as long as the image
	sized bool     // the image gives the part's size
}

func pushBlobs(t *testing.T, c *registrytest.Client, contents ...string) {
	t.Helper()
	for _, content := range contents {
		check(t, c.PushBlob("alice/app", content))
	}
}

func indexOf(list ...v1.Descriptor) *registrytest.Image {
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: list}
	return &registrytest.Image{MediaType: index.MediaType, Manifest: registrytest.JSON(index)}
}

func resized(d v1.Descriptor, off int64) v1.Descriptor { d.Size += off; return d }

// referrer is an image whose subject is another one.
func referrer(of v1.Descriptor, layer string) *registrytest.Image {
	return registrytest.With(func(m *v1.Manifest) { m.Subject, m.ArtifactType = &of, "application/x.signature" }, layer)
}

func edges() []edge {
	single := registrytest.NewImage("its layer")
	child := registrytest.NewImage("the child's layer")
	inner := registrytest.NewIndex(child)
	config := single.Blobs[0]
	signature := func(i *registrytest.Image) *registrytest.Image { return referrer(i.Descriptor(), "signature") }
	withLayer := func(edit func(m *v1.Manifest)) func(t *testing.T, c *registrytest.Client, off int64) *registrytest.Image {
		return func(t *testing.T, c *registrytest.Client, off int64) *registrytest.Image {
			pushBlobs(t, c, single.Blobs...)
			if off == 0 {
				return single
			}
			return registrytest.With(edit, "its layer")
		}
	}
	one := withLayer(nil)
	cached := func(t *testing.T, c *registrytest.Client, off int64) *registrytest.Image {
		pushBlobs(t, c, "cached layer", "cache config")
		last := registrytest.Layer("cache config")
		last.MediaType = cacheConfig
		return indexOf(resized(registrytest.Layer("cached layer"), off), last)
	}
	return []edge{
		{name: "tag to manifest", push: one, part: (*registrytest.Image).Digest, holds: single.Blobs},
		{name: "image to config", push: withLayer(func(m *v1.Manifest) { m.Config.Size++ }), blob: config, holds: single.Blobs, sized: true},
		{name: "image to layer", push: withLayer(func(m *v1.Manifest) { m.Layers[0].Size++ }), blob: "its layer", holds: single.Blobs, sized: true},
		{name: "image to layer, named again", push: withLayer(func(m *v1.Manifest) { m.Layers = append(m.Layers, resized(m.Layers[0], 1)) }),
			blob: "its layer", holds: single.Blobs, sized: true},
		{name: "index to child", part: func(*registrytest.Image) digest.Digest { return child.Digest() }, holds: child.Blobs, sized: true,
			push: func(t *testing.T, c *registrytest.Client, off int64) *registrytest.Image {
				c.MustPush(t, "alice/app", "", child)
				return indexOf(resized(child.Descriptor(), off))
			}},
		{name: "index to index to child", part: func(*registrytest.Image) digest.Digest { return child.Digest() }, holds: child.Blobs,
			push: func(t *testing.T, c *registrytest.Client, _ int64) *registrytest.Image {
				c.MustPush(t, "alice/app", "", child)
				c.MustPush(t, "alice/app", "", inner)
				return indexOf(inner.Descriptor())
			}},
		{name: "index to blob", push: cached, blob: "cached layer", holds: []string{"cached layer", "cache config"}, sized: true},
		{name: "image to referrer", push: one, part: func(i *registrytest.Image) digest.Digest { return signature(i).Digest() }, holds: []string{"signature"},
			after: func(t *testing.T, c *registrytest.Client, i *registrytest.Image) {
				wrong := referrer(resized(i.Descriptor(), 1), "signature")
				pushBlobs(t, c, wrong.Blobs...)
				c.Must(t, "PUT", "/v2/alice/app/manifests/wrong", wrong.Manifest, "Content-Type", wrong.MediaType).WantError(t, 400, "MANIFEST_INVALID")
				c.MustPush(t, "alice/app", "", signature(i))
			}},
		{name: "child to referrer", part: func(*registrytest.Image) digest.Digest { return signature(child).Digest() }, holds: []string{"signature"},
			push: func(t *testing.T, c *registrytest.Client, _ int64) *registrytest.Image {
				c.MustPush(t, "alice/app", "", child)
				c.MustPush(t, "alice/app", "", signature(child))
				return indexOf(child.Descriptor())
			}},
		{name: "image to cosign's signature", push: one, part: func(*registrytest.Image) digest.Digest { return child.Digest() }, holds: child.Blobs,
			after: func(t *testing.T, c *registrytest.Client, i *registrytest.Image) {
				tag := "sha256-" + i.Digest().Encoded() + ".sig"
				c.MustPush(t, "alice/app", tag, child)
				c.Must(t, "DELETE", "/v2/alice/app/manifests/"+tag, nil).WantError(t, 403, "DENIED")
			}},
	}
}

// Every rule holds on every kind of edge: what belongs to an immutable tag cannot
// be deleted, its blobs are held and outlive a collection, sizes are checked, what
// is here can be read here only, and when all of it is deleted it is swept.
func TestEveryRuleOnEveryEdge(t *testing.T) {
	for _, e := range edges() {
		t.Run(e.name, func(t *testing.T) { onEach(t, registrytest.Config{}, e.test) })
	}
}

func (e edge) test(t *testing.T, h *registrytest.Hub) {
	c := h.Client()
	c.MustPush(t, "alice/app", "begin", registrytest.NewImage("begin"))
	if e.sized {
		wrong := e.push(t, c, 1)
		a := c.Must(t, "PUT", "/v2/alice/app/manifests/v1", wrong.Manifest, "Content-Type", wrong.MediaType).WantError(t, 400, "MANIFEST_INVALID")
		says(t, a, "gives its size as")
	}
	image := e.push(t, c, 0)
	c.MustPush(t, "alice/app", "v1", image)
	once(t, h, "alice/app", `v\d+`)
	if e.after != nil {
		e.after(t, c, image)
	}
	manifests := "/v2/alice/app/manifests/"

	// Protection: the refusal names the tag and says what to do.
	if e.blob == "" {
		part := manifests + e.part(image).String()
		a := c.Must(t, "DELETE", part, nil).WantError(t, 403, "DENIED")
		says(t, a, "tag v1 of alice/app is immutable", "hubledger repos policy alice/app")
		c.Must(t, "GET", part, nil).Want(t, 200)
	} else {
		c.Must(t, "DELETE", "/v2/alice/app/blobs/"+registrytest.Sum(e.blob).String(), nil).WantError(t, 405, "UNSUPPORTED")
	}

	// Hold and visibility: without any lease it is here, and nowhere else.
	h.EndLeases("alice/app")
	collect(t, h, 0)
	for _, content := range e.holds {
		d := registrytest.Sum(content)
		check(t, c.PullBlob("alice/app", d))
		c.Must(t, "HEAD", "/v2/bob/app/blobs/"+d.String(), nil).Want(t, 404)
	}
	h.Rebuilt()

	// Sweep: deleted from the top down, all of it goes.
	once(t, h, "alice/app")
	for _, m := range h.Events() {
		if m.Type() == "image.pushed.v1" {
			c.Must(t, "DELETE", manifests+digestOf(t, &m), nil)
		}
	}
	collect(t, h, 0)
	if left := stored(t, h); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
	for _, content := range e.holds {
		c.Must(t, "HEAD", "/v2/alice/app/blobs/"+registrytest.Sum(content).String(), nil).Want(t, 404)
	}
}

// A cache of BuildKit's older kind is an index of layers: it can be pushed where
// its layers are, by whoever may read them, and pulled like any image.
func TestIndexOfBlobs(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	var list []v1.Descriptor
	for k := range 3 {
		content := fmt.Sprint("layer ", k)
		pushBlobs(t, c, content)
		list = append(list, registrytest.Layer(content))
	}
	cache := indexOf(list...)
	c.MustPush(t, "alice/app", "cache", cache)
	h.EndLeases("alice/app")
	collect(t, h, 0)
	for _, d := range list {
		check(t, c.PullBlob("alice/app", d.Digest))
	}
	// To name a blob of somebody else opens nothing, also where indexes may be sparse.
	c.MustPush(t, "bob/app", "1", registrytest.NewImage("bob's own"))
	c.Must(t, "PUT", "/v2/bob/app/manifests/stolen", cache.Manifest, "Content-Type", cache.MediaType).WantError(t, 400, "MANIFEST_BLOB_UNKNOWN")
	allowSparse(t, h, "bob/app")
	c.Must(t, "PUT", "/v2/bob/app/manifests/stolen", cache.Manifest, "Content-Type", cache.MediaType).Want(t, 201)
	for _, d := range list {
		c.Must(t, "HEAD", "/v2/bob/app/blobs/"+d.Digest.String(), nil).Want(t, 404)
	}
	// What comes later and is named is held from the next push on.
	check(t, c.PushBlob("bob/app", "layer 1"))
	c.Must(t, "PUT", "/v2/bob/app/manifests/later", cache.Manifest, "Content-Type", cache.MediaType).Want(t, 201)
	h.EndLeases("bob/app")
	c.Must(t, "HEAD", "/v2/bob/app/blobs/"+registrytest.Sum("layer 1").String(), nil).Want(t, 200)
	c.Must(t, "HEAD", "/v2/bob/app/blobs/"+registrytest.Sum("layer 2").String(), nil).Want(t, 404)
	// Deleted and restored, it is whole again.
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+cache.Digest().String(), nil).Want(t, 202)
	_, err := h.Registry.RestoreManifest(t.Context(), registrytest.By, "alice/app", cache.Digest())
	check(t, err)
	check(t, c.PullBlob("alice/app", list[0].Digest))
	h.Rebuilt()
}

func allowSparse(t *testing.T, h *registrytest.Hub, name string) {
	t.Helper()
	h.SetPolicy(name, events.RepositoryPolicy{SparseIndexes: true})
}

func digestOf(t *testing.T, e *events.Event) string {
	t.Helper()
	p, err := events.Decode(e)
	check(t, err)
	return p.(events.ImagePushed).Digest.String()
}

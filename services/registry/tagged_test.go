package registry_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/registry"
	"hubledger/services/registry/registrytest"
)

// A manifest's bytes are in the log once, however often it is pushed and by how
// many tags: what is sent again is a small event for each tag.
func TestBytesAreInTheLogOnce(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		large := registrytest.With(func(m *v1.Manifest) {
			m.Annotations = map[string]string{"padding": strings.Repeat("x", 330_000)}
		}, "layer")
		for _, content := range large.Blobs {
			check(t, c.PushBlob("alice/app", content))
		}
		const tags, rounds = 50, 4
		query, sep := "", "?"
		for k := range tags {
			query += fmt.Sprintf("%stag=t%d", sep, k)
			sep = "&"
		}
		path := "/v2/alice/app/manifests/" + large.Digest().String()
		for range rounds {
			c.Must(t, "PUT", path+query, large.Manifest, "Content-Type", large.MediaType).Want(t, 201)
			c.Must(t, "PUT", path, large.Manifest, "Content-Type", large.MediaType).Want(t, 201)
			c.Must(t, "PUT", "/v2/alice/app/manifests/one", large.Manifest, "Content-Type", large.MediaType).Want(t, 201)
		}
		whole, small := 0, 0
		for _, e := range h.Events() {
			switch e.Type() {
			case "image.pushed.v1":
				whole++
			case "image.tagged.v1":
				if small++; len(e.Data) > 500 {
					t.Errorf("event %d has %d bytes", e.Seq, len(e.Data))
				}
			}
		}
		if whole != 1 || small != rounds*(tags+2)-1 {
			t.Errorf("%d events with the manifest's bytes, %d without", whole, small)
		}
		for k := range tags {
			c.Must(t, "GET", fmt.Sprintf("/v2/alice/app/manifests/t%d", k), nil).Want(t, 200).WantBody(t, string(large.Manifest))
		}
		h.Rebuilt()
		wantPulls(t, c, "alice/app", true, "t0", "one", large.Digest().String())
	})
}

// beforeTagging starts a hub that does something, once, when the event of a push
// without bytes is about to be appended.
func beforeTagging(t *testing.T, c registrytest.Config) (h *registrytest.Hub, do func(func())) {
	t.Helper()
	var next atomic.Pointer[func()]
	c.Log = func(log registry.Log) registry.Log {
		return &registrytest.HookedLog{Log: log, Before: func(e *events.Event) error {
			if e.Type() == (events.ImageTagged{}).EventType() {
				if f := next.Swap(nil); f != nil {
					(*f)()
				}
			}
			return nil
		}}
	}
	return registrytest.Start(t, c), func(f func()) { next.Store(&f) }
}

// Whatever is deleted or pushed between the check and the event of a push, what
// was answered 201 is whole.
func TestTaggedRaces(t *testing.T) {
	t.Parallel()
	child := registrytest.NewImage("child")
	index := registrytest.NewIndex(child)
	for name, race := range map[string]func(h *registrytest.Hub, remove func(*registrytest.Image)){
		"the manifest is deleted": func(h *registrytest.Hub, remove func(*registrytest.Image)) { remove(index) },
		"its child is deleted":    func(h *registrytest.Hub, remove func(*registrytest.Image)) { remove(child) },
		"both are deleted": func(h *registrytest.Hub, remove func(*registrytest.Image)) {
			remove(index)
			remove(child)
		},
		"and collected at once": func(h *registrytest.Hub, remove func(*registrytest.Image)) {
			remove(index)
			remove(child)
			h.EndLeases("alice/app")
			collect(t, h, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, before := beforeTagging(t, registrytest.Config{})
			c := h.Client()
			c.MustPush(t, "alice/app", "", child)
			c.MustPush(t, "alice/app", "first", index)
			before(func() {
				race(h, func(i *registrytest.Image) {
					h.Client().Must(t, "DELETE", "/v2/alice/app/manifests/"+i.Digest().String(), nil).Want(t, 202)
				})
			})
			c.MustPush(t, "alice/app", "second", index)
			for _, ref := range []string{"second", index.Digest().String(), child.Digest().String()} {
				_, err := c.Pull("alice/app", ref)
				check(t, err)
			}
			h.Rebuilt()
		})
	}
}

// The media type that goes with a digest is that of the last push, also when
// another one came between the check and the event.
func TestTaggedRacesMediaType(t *testing.T) {
	t.Parallel()
	h, before := beforeTagging(t, registrytest.Config{})
	c := h.Client()
	silent := registrytest.With(func(m *v1.Manifest) { m.MediaType = "" }, "says no type")
	silent.MediaType = v1.MediaTypeImageManifest
	c.MustPush(t, "alice/app", "1", silent)
	other := *silent
	other.MediaType = dockerManifest
	before(func() { h.Client().MustPush(t, "alice/app", "1", &other) })
	c.MustPush(t, "alice/app", "2", silent)
	c.Must(t, "GET", "/v2/alice/app/manifests/2", nil).Want(t, 200).WantHeader(t, "Content-Type", silent.MediaType)
	h.Rebuilt()
}

// What was absent when a manifest was pushed and is there when it is pushed
// again is held from then on.
func TestTaggedHoldsWhatWasAbsent(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	const content = "comes later"
	img := registrytest.With(func(m *v1.Manifest) { m.Layers[0].URLs = []string{"https://example.com/"} }, content)
	img.Blobs = img.Blobs[:1]
	c.MustPush(t, "alice/app", "1", img)
	check(t, c.PushBlob("alice/app", content))
	c.MustPush(t, "alice/app", "2", img)
	c.MustPush(t, "alice/app", "3", img)
	h.EndLeases("alice/app")
	collect(t, h, 0)
	check(t, c.PullBlob("alice/app", registrytest.Sum(content)))
	var types []string
	for _, e := range h.Events()[2:] {
		types = append(types, e.Type())
	}
	if got := strings.Join(types, " "); got != "image.pushed.v1 image.pushed.v1 image.tagged.v1" {
		t.Errorf("events are %s", got)
	}
}

package registry_test

import (
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/manifest"
	"hubledger/services/registry/registrytest"
)

// What no honest client sends is refused before anything is made of it.
func TestHostileManifests(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
	before := h.Traces()
	double := strings.Replace(string(image.Manifest), `"layers":`, `"layers":[],"layers":`, 1)
	for name, text := range map[string]string{
		"a key twice": double,
		"many layers": `{"schemaVersion":2,"layers":[` + strings.Repeat("{},", manifest.MaxSize/3-20) + `{}]}`,
		"deep":        `{"schemaVersion":2,"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			c.Must(t, "PUT", "/v2/alice/app/manifests/2", []byte(text), "Content-Type", image.MediaType).WantError(t, 400, "MANIFEST_INVALID")
		})
	}
	if h.Traces() != before {
		t.Error("a refused manifest has left something")
	}
}

// An index that names one child many times looks at it once.
func TestIndexNamesOneChildOften(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := c.MustPush(t, "alice/app", "", registrytest.NewImage("layer"))
	var same []*registrytest.Image
	for range 5000 {
		same = append(same, image)
	}
	index := registrytest.NewIndex(same...)
	c.MustPush(t, "alice/app", "all", index)
	c.MustPush(t, "alice/app", "again", index)
	_, err := c.Pull("alice/app", image.Digest().String())
	check(t, err)
	missing := registrytest.NewImage("missing")
	for k := range same {
		same[k] = missing
	}
	a, err := c.PutManifest("alice/app", "none", registrytest.NewIndex(same...))
	if registrytest.Refused(err) != 400 {
		t.Fatalf("%v %v", a, err)
	}
	h.Rebuilt()
}

// A refusal of a manifest without its blobs ends soon and is small.
func TestManyAreMissing(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	image := registrytest.With(func(m *v1.Manifest) {
		for k := range 5000 {
			m.Layers = append(m.Layers, registrytest.Layer(itoa(k)))
		}
	})
	a := c.Must(t, "PUT", "/v2/alice/app/manifests/1", image.Manifest, "Content-Type", image.MediaType).WantError(t, 400, "MANIFEST_BLOB_UNKNOWN")
	if n := len(a.Codes()); n == 0 || n > 100 {
		t.Errorf("%d errors", n)
	}
}

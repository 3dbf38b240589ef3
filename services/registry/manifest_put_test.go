package registry_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/services/registry/registrytest"
)

const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	dockerForeign  = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
)

func TestPushManifest(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		docker := registrytest.With(func(m *v1.Manifest) {
			m.MediaType, m.Config.MediaType = dockerManifest, dockerConfig
			for k := range m.Layers {
				m.Layers[k].MediaType = dockerLayer
			}
		}, "docker layer")
		oci := registrytest.NewImage("oci layer", "oci layer") // the same twice
		list := registrytest.NewIndex(docker)
		list.Manifest = []byte(strings.Replace(string(list.Manifest), v1.MediaTypeImageIndex, dockerList, 1))
		list.MediaType = dockerList
		silent := registrytest.With(func(m *v1.Manifest) { m.MediaType = "" }, "says no type")
		silent.MediaType = v1.MediaTypeImageManifest
		spaced := registrytest.NewImage("spaced")
		spaced.Manifest = append([]byte(" \n"), append(spaced.Manifest, '\n')...)
		for _, row := range []struct {
			name string
			*registrytest.Image
		}{
			{"docker schema 2", docker},
			{"docker manifest list", list},
			{"oci image", oci},
			{"oci index", registrytest.NewIndex(oci, docker)},
			{"index of an index", registrytest.NewIndex(registrytest.NewIndex(oci, docker), list)},
			{"empty index", registrytest.NewIndex()},
			{"type in the header only", silent},
			{"kept byte for byte", spaced},
		} {
			t.Run(row.name, func(t *testing.T) {
				for _, ref := range []string{row.Digest().String(), "latest"} {
					check(t, c.Push("alice/app", ref, row.Image))
					a, err := c.PutManifest("alice/app", ref, row.Image) // again
					check(t, err)
					a.WantHeader(t, "Location", "/v2/alice/app/manifests/"+row.Digest().String()).
						WantHeader(t, "Docker-Content-Digest", row.Digest().String()).WantHeader(t, "Oci-Subject", "")
					c.Must(t, "GET", "/v2/alice/app/manifests/"+ref, nil).Want(t, 200).
						WantBody(t, string(row.Manifest)).WantHeader(t, "Content-Type", row.MediaType)
					_, err = c.Pull("alice/app", ref)
					check(t, err)
				}
			})
		}
	})
}

func TestContentTypeOfPush(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	image := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
	put := func(headers ...string) *registrytest.Answer {
		return c.Must(t, "PUT", "/v2/alice/app/manifests/2", image.Manifest, headers...)
	}
	put("Content-Type", image.MediaType+"; charset=utf-8").Want(t, 201)
	c.Must(t, "GET", "/v2/alice/app/manifests/2", nil).WantHeader(t, "Content-Type", image.MediaType)
	put().Want(t, 201) // the manifest says it itself
}

func TestPushBySHA512(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	const layer = "a layer known by its SHA-512"
	d := digest.SHA512.FromString(layer)
	image := registrytest.With(func(m *v1.Manifest) {
		m.Layers = []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: d, Size: int64(len(layer))}}
	})
	check(t, c.PushBlob("alice/app", image.Blobs[0]))
	created(t, c.Must(t, "POST", "/v2/alice/app/blobs/uploads/?digest="+d.String(), []byte(layer)), "alice/app", d)
	ref := digest.SHA512.FromBytes(image.Manifest).String()
	a, err := c.PutManifest("alice/app", ref, image)
	check(t, err)
	a.WantHeader(t, "Docker-Content-Digest", ref).WantHeader(t, "Location", "/v2/alice/app/manifests/"+ref)
	c.Must(t, "GET", "/v2/alice/app/manifests/"+ref, nil).Want(t, 200).WantBody(t, string(image.Manifest)).WantHeader(t, "Docker-Content-Digest", ref)
	c.Must(t, "GET", "/v2/alice/app/manifests/"+image.Digest().String(), nil).Want(t, 404) // pushed under one digest
	c.Must(t, "PUT", "/v2/alice/app/manifests/"+ref+"?tag=big", image.Manifest, "Content-Type", image.MediaType).Want(t, 201).WantHeader(t, "Oci-Tag", "big")
	c.Must(t, "HEAD", "/v2/alice/app/manifests/big", nil).Want(t, 200).WantHeader(t, "Docker-Content-Digest", ref)
	index := registrytest.NewIndex(image)
	index.Manifest = []byte(strings.Replace(string(index.Manifest), image.Digest().String(), ref, 1))
	c.MustPush(t, "alice/app", "index", index)
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+ref, nil).Want(t, 202)
	c.Must(t, "GET", "/v2/alice/app/manifests/big", nil).Want(t, 404)
}

// A push by digest can name tags beside it.
func TestPushWithTags(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := c.MustPush(t, "alice/app", "", registrytest.NewImage("layer"))
	path := "/v2/alice/app/manifests/" + image.Digest().String()
	a := c.Must(t, "PUT", path+"?tag=1.0&tag=1&tag=latest", image.Manifest, "Content-Type", image.MediaType).Want(t, 201)
	if got := a.Header.Values("Oci-Tag"); !slices.Equal(got, []string{"1.0", "1", "latest"}) {
		t.Fatalf("OCI-Tag: %q", got)
	}
	for _, tag := range []string{"1.0", "1", "latest"} {
		c.Must(t, "HEAD", "/v2/alice/app/manifests/"+tag, nil).Want(t, 200).WantHeader(t, "Docker-Content-Digest", image.Digest().String())
	}
	before := h.Traces()
	c.Must(t, "PUT", path+"?tag=ok&tag=-bad", image.Manifest, "Content-Type", image.MediaType).WantError(t, 400, "TAG_INVALID")
	c.Must(t, "PUT", path+"?tag="+strings.Join(slices.Repeat([]string{"x"}, 51), "&tag="), image.Manifest, "Content-Type", image.MediaType).WantError(t, 400, "MANIFEST_INVALID")
	if h.Traces() != before {
		t.Error("a refused push has left something")
	}
	c.Must(t, "GET", "/v2/alice/app/manifests/ok", nil).Want(t, 404)
}

// A tag moves to the last push of it; what it named stays reachable.
func TestTagMoves(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	one := c.MustPush(t, "alice/app", "latest", registrytest.NewImage("one"))
	two := c.MustPush(t, "alice/app", "latest", registrytest.NewImage("two"))
	c.Must(t, "GET", "/v2/alice/app/manifests/latest", nil).Want(t, 200).WantBody(t, string(two.Manifest))
	_, err := c.Pull("alice/app", one.Digest().String())
	check(t, err)
}

// The exact event of a push: the manifest's bytes and what they do not say.
func TestEventOfPush(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	config := `{"created":"2026-11-22T10:00:00.5Z","os":"linux","architecture":"arm64","variant":"v8"}`
	image := registrytest.With(func(m *v1.Manifest) {
		m.Config = registrytest.Layer(config)
		m.Config.MediaType = v1.MediaTypeImageConfig
	}, "layer")
	image.Blobs[0] = config
	c.MustPush(t, "alice/app", "1.0", image)
	list := h.Events()
	if len(list) != 3 || list[0].Type() != "namespace.created.v1" || list[1].Type() != "repository.created.v1" {
		t.Fatalf("%d events: %v", len(list), list)
	}
	p, err := events.Decode(&list[2])
	check(t, err)
	e, ok := p.(events.ImagePushed)
	if !ok || string(e.Manifest) != string(image.Manifest) || e.Tag != "1.0" || e.Digest != image.Digest() || e.MediaType != image.MediaType ||
		e.Platform == nil || e.Platform.OS != "linux" || e.Platform.Architecture != "arm64" || e.Platform.Variant != "v8" ||
		e.Created == nil || e.Created.Format("2006-01-02T15:04:05.0Z07:00") != "2026-11-22T10:00:00.5Z" {
		t.Fatalf("the event says %+v", p)
	}
	if list[2].Actor() != registrytest.By.Actor || list[2].Source() != "/registry" {
		t.Errorf("by %s of %s", list[2].Actor(), list[2].Source())
	}
}

// A push says how many of its layers the repository did not have. What another repository
// has is new, what was deleted is new again, and an index has no layers.
func TestNewLayersOfPush(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		c.MustPush(t, "bob/app", "1", registrytest.NewImage("base", "other"))
		first := c.MustPush(t, "alice/app", "1", registrytest.NewImage("base", "base", "first"))
		second := c.MustPush(t, "alice/app", "2", registrytest.NewImage("base", "second"))
		c.MustPush(t, "alice/app", "3", registrytest.NewImage("second", "base"))
		c.MustPush(t, "alice/app", "all", registrytest.NewIndex(first, second))
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+first.Digest().String(), nil).Want(t, 202)
		c.MustPush(t, "alice/app", "4", registrytest.NewImage("base", "first", "fourth"))
		var told []string
		for _, e := range h.Events() {
			p, err := events.Decode(&e)
			check(t, err)
			if push, ok := p.(events.ImagePushed); ok {
				n := "none"
				if push.NewLayers != nil {
					n = itoa(int(*push.NewLayers))
				}
				told = append(told, push.Tag+" "+n)
			}
		}
		if want := []string{"1 2", "1 2", "2 1", "3 0", "all none", "4 2"}; !slices.Equal(told, want) {
			t.Errorf("the pushes say %q, not %q", told, want)
		}
	})
}

func TestIndexOfMissingChildren(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		there := c.MustPush(t, "alice/app", "1", registrytest.NewImage("there"))
		elsewhere := c.MustPush(t, "bob/app", "1", registrytest.NewImage("elsewhere"))
		never := registrytest.NewImage("never")
		index := registrytest.NewIndex(there, elsewhere, never)
		before := h.Traces()
		put := func(repo string) *registrytest.Answer {
			return c.Must(t, "PUT", "/v2/"+repo+"/manifests/all", index.Manifest, "Content-Type", index.MediaType)
		}
		a := put("alice/app").WantError(t, 400, "MANIFEST_BLOB_UNKNOWN")
		if codes := a.Codes(); !slices.Equal(codes, []string{"MANIFEST_BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"}) {
			t.Errorf("two children are missing: %v", codes)
		}
		put("new/repo").WantError(t, 400, "MANIFEST_BLOB_UNKNOWN")
		if after := h.Traces(); after != before {
			t.Fatalf("before\n%s\nafter\n%s", before, after)
		}
		h.SetPolicy("alice/app", events.RepositoryPolicy{SparseIndexes: true})
		put("alice/app").Want(t, 201)
		c.Must(t, "GET", "/v2/alice/app/manifests/all", nil).Want(t, 200).WantBody(t, string(index.Manifest))
		c.Must(t, "GET", "/v2/alice/app/manifests/"+never.Digest().String(), nil).Want(t, 404)
		c.Must(t, "GET", "/v2/alice/app/manifests/"+elsewhere.Digest().String(), nil).Want(t, 404)
		// What was deleted does not come back through the back door.
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+there.Digest().String(), nil).Want(t, 202)
		put("alice/app").WantError(t, 400, "MANIFEST_BLOB_UNKNOWN")
		h.SetPolicy("alice/app", events.RepositoryPolicy{})
		c.MustPush(t, "alice/app", "1", there)
		put("alice/app").WantError(t, 400, "MANIFEST_BLOB_UNKNOWN")
	})
}

// Layers that may not be distributed can be left out, and pushed all the same.
func TestNonDistributableLayers(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	for _, row := range []struct {
		name string
		edit func(d *v1.Descriptor)
	}{
		//lint:ignore SA1019 deprecated, not gone
		{"oci", func(d *v1.Descriptor) { d.MediaType = v1.MediaTypeImageLayerNonDistributableGzip }},
		{"docker", func(d *v1.Descriptor) { d.MediaType = dockerForeign }},
		{"by its URLs", func(d *v1.Descriptor) { d.URLs = []string{"https://example.com/layer"} }},
	} {
		t.Run(row.name, func(t *testing.T) {
			const content = "not ours to give"
			image := registrytest.With(func(m *v1.Manifest) { row.edit(&m.Layers[1]) }, "ours "+row.name, content)
			image.Blobs = image.Blobs[:2]
			repo := "alice/" + strings.ToLower(strings.ReplaceAll(row.name, " ", "-"))
			c.MustPush(t, repo, "1", image)
			c.Must(t, "GET", "/v2/"+repo+"/manifests/1", nil).Want(t, 200).WantBody(t, string(image.Manifest))
			foreign := "/v2/" + repo + "/blobs/" + registrytest.Sum(content).String()
			c.Must(t, "HEAD", foreign, nil).Want(t, 404)
			check(t, c.PushBlob(repo, content))
			c.MustPush(t, repo, "1", image)
			h.EndLeases(repo)
			collect(t, h, 0)
			c.Must(t, "GET", foreign, nil).Want(t, 200).WantBody(t, content) // the image holds it now
		})
	}
}

// What a manifest names has to be there, in the size that it says.
func TestManifestNamesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := registrytest.NewImage("one", "two", "three")
	check(t, c.PushBlob("alice/app", "one"))
	check(t, c.PushBlob("bob/app", "two")) // of another repository
	before := h.Traces()
	a := c.Must(t, "PUT", "/v2/alice/app/manifests/1", image.Manifest, "Content-Type", image.MediaType).WantError(t, 400, "MANIFEST_BLOB_UNKNOWN")
	var body struct {
		Errors []struct{ Detail struct{ Digest string } }
	}
	check(t, json.Unmarshal(a.Body, &body))
	var missing []string
	for _, e := range body.Errors {
		missing = append(missing, e.Detail.Digest)
	}
	want := []string{registrytest.Sum(image.Blobs[0]).String(), registrytest.Sum("two").String(), registrytest.Sum("three").String()}
	if !slices.Equal(missing, want) {
		t.Errorf("missing are %q, not %q", missing, want)
	}
	short := registrytest.With(func(m *v1.Manifest) { m.Layers[0].Size--; m.Config = m.Layers[0] }, "one")
	c.Must(t, "PUT", "/v2/alice/app/manifests/1", short.Manifest, "Content-Type", short.MediaType).WantError(t, 400, "MANIFEST_INVALID")
	if after := h.Traces(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	c.Must(t, "GET", "/v2/alice/app/manifests/1", nil).Want(t, 404)
}

// To name a layer that may be left out is no proof of having it.
func TestForeignLayerOpensNothing(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	const secret = "bob's"
	c.MustPush(t, "bob/private", "1", registrytest.NewImage(secret))
	image := registrytest.With(func(m *v1.Manifest) { m.Layers[0].URLs = []string{"https://example.com/"} }, secret)
	image.Blobs = image.Blobs[:1]
	c.MustPush(t, "alice/app", "1", image)
	path := "/v2/alice/app/blobs/" + registrytest.Sum(secret).String()
	c.Must(t, "GET", path, nil).WantError(t, 404, "BLOB_UNKNOWN")
	c.Must(t, "HEAD", path, nil).Want(t, 404)
	c.Must(t, "POST", "/v2/carol/app/blobs/uploads/?from=alice/app&mount="+registrytest.Sum(secret).String(), nil).Want(t, 202)
}

package cmd

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// A layout is an OCI image layout on disk: one index tagged "1" of an image
// for amd64 and one for arm64, which share their first layer.
type layout struct {
	dir    string
	index  digest.Digest
	images map[string]v1.Descriptor // by architecture
	blobs  map[digest.Digest][]byte // everything below blobs/
}

// newLayout makes a layout whose contents depend on seed.
func newLayout(t testing.TB, seed string) *layout {
	t.Helper()
	l := &layout{dir: t.TempDir(), images: map[string]v1.Descriptor{}, blobs: map[digest.Digest][]byte{}}
	sharedTar := tarOf(t, "shared.txt", "shared by "+seed)
	shared := l.add(t, v1.MediaTypeImageLayerGzip, zipped(t, sharedTar))
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	for _, arch := range []string{"amd64", "arm64"} {
		ownTar := tarOf(t, "own.txt", seed+" for "+arch)
		own := l.add(t, v1.MediaTypeImageLayerGzip, zipped(t, ownTar))
		platform := v1.Platform{Architecture: arch, OS: "linux"}
		config := l.addJSON(t, v1.MediaTypeImageConfig, v1.Image{Platform: platform, Config: v1.ImageConfig{Cmd: []string{"/own.txt"}},
			RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(sharedTar), digest.FromBytes(ownTar)}}})
		image := l.addJSON(t, v1.MediaTypeImageManifest, v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2},
			MediaType: v1.MediaTypeImageManifest, Config: config, Layers: []v1.Descriptor{shared, own}})
		l.images[arch] = image
		image.Platform = &platform
		index.Manifests = append(index.Manifests, image)
	}
	top := l.addJSON(t, v1.MediaTypeImageIndex, index)
	l.index = top.Digest
	top.Annotations = map[string]string{v1.AnnotationRefName: "1"}
	writeFile(t, filepath.Join(l.dir, v1.ImageLayoutFile), `{"imageLayoutVersion":"1.0.0"}`)
	writeFile(t, filepath.Join(l.dir, v1.ImageIndexFile), string(encode(t, v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []v1.Descriptor{top}})))
	return l
}

func (l *layout) add(t testing.TB, mediaType string, content []byte) v1.Descriptor {
	t.Helper()
	d := digest.FromBytes(content)
	l.blobs[d] = content
	writeFile(t, filepath.Join(l.dir, "blobs", "sha256", d.Encoded()), string(content))
	return v1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(content))}
}

func (l *layout) addJSON(t testing.TB, mediaType string, v any) v1.Descriptor {
	t.Helper()
	return l.add(t, mediaType, encode(t, v))
}

// push uploads the layout as tag 1, each blob in one request.
func (l *layout) push(t testing.TB, h *hubProcess, repo string) {
	t.Helper()
	base := h.URL + "/v2/" + repo
	send := func(method, path, mediaType string, d digest.Digest) {
		t.Helper()
		r := ask(t, method, base+path, bytes.NewReader(l.blobs[d]), http.Header{"Content-Type": {mediaType}})
		if r.status != http.StatusCreated {
			t.Fatalf("%s %s: %d\n%s", method, path, r.status, r.body)
		}
	}
	for d := range l.blobs {
		send("POST", "/blobs/uploads/?digest="+d.String(), "application/octet-stream", d)
	}
	for _, image := range l.images {
		send("PUT", "/manifests/"+image.Digest.String(), image.MediaType, image.Digest)
	}
	send("PUT", "/manifests/1", v1.MediaTypeImageIndex, l.index)
}

// sameIn compares the blobs of another layout with these, byte for byte.
func (l *layout) sameIn(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	var found []digest.Digest
	for _, e := range entries {
		d := digest.NewDigestFromEncoded(digest.SHA256, e.Name())
		content, err := os.ReadFile(filepath.Join(dir, "blobs", "sha256", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content, l.blobs[d]) {
			t.Errorf("%s came back as %d bytes, was %d", d, len(content), len(l.blobs[d]))
		}
		found = append(found, d)
	}
	slices.Sort(found)
	if want := slices.Sorted(maps.Keys(l.blobs)); !slices.Equal(found, want) {
		t.Fatalf("came back with %v, want %v", found, want)
	}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode[T any](t testing.TB, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(fmt.Errorf("%w in %s", err, text))
	}
	return v
}

// tarOf is a tar archive of one file.
func tarOf(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

package sbom

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/projections/images"
)

func TestParseScanner(t *testing.T) {
	pinned := "sha256:" + strings.Repeat("a", 64)
	for text, want := range map[string]Scanner{
		"tools/syft:1":              {Repository: "tools/syft", Tag: "1"},
		"tools/deep/syft@" + pinned: {Repository: "tools/deep/syft", Digest: digest.Digest(pinned)},
		"tools/syft:1@" + pinned:    {Repository: "tools/syft", Digest: digest.Digest(pinned)},
		"syft:1":                    {Repository: "syft", Tag: "1"},
		"tools/syft":                {},
		"tools/syft:":               {},
		"tools/syft@sha256:00":      {},
		"tools/syft@" + strings.Replace(pinned, "sha256", "sha512", 1): {},
		"hub.example.com:5050/tools/syft:1":                            {},
		"tools/syft:1,generator=x":                                     {},
		"Tools/syft:1":                                                 {},
		"":                                                             {},
	} {
		got, err := ParseScanner(text)
		if got != want || (err != nil) != (want == Scanner{}) {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
	}
	if s := (Scanner{Repository: "tools/syft", Tag: "1"}).String(); s != "tools/syft:1" {
		t.Error(s)
	}
}

// A repo has manifests by their digests.
type repo map[digest.Digest][]byte

func (r repo) put(t *testing.T, v any) v1.Descriptor {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := v1.Descriptor{Digest: digest.FromBytes(text), Size: int64(len(text))}
	r[d.Digest] = text
	return d
}

func (r repo) read(d digest.Digest) ([]byte, error) {
	if text, ok := r[d]; ok {
		return text, nil
	}
	return nil, images.ErrNotFound
}

// An image has its SBOM when each of its platforms has one in the same index: neither one
// for another image, nor one that says something else, nor one that is not there counts.
func TestMissing(t *testing.T) {
	r := repo{}
	image := func(architecture string) v1.Descriptor {
		d := r.put(t, v1.Manifest{Annotations: map[string]string{"for": architecture}})
		d.Platform = &v1.Platform{OS: "linux", Architecture: architecture}
		return d
	}
	about := func(of v1.Descriptor, predicate string) v1.Descriptor {
		d := r.put(t, v1.Manifest{Annotations: map[string]string{"of": of.Digest.String()}, Layers: []v1.Descriptor{{Annotations: map[string]string{predicateType: predicate}}}})
		d.Annotations = map[string]string{referenceType: attestation, referenceDigest: of.Digest.String()}
		return d
	}
	index := func(list ...v1.Descriptor) digest.Digest { return r.put(t, v1.Index{Manifests: list}).Digest }
	amd, arm, other := image("amd64"), image("arm64"), image("s390x")
	const spdx, cyclone, slsa = "https://spdx.dev/Document", "https://cyclonedx.org/bom", "https://slsa.dev/provenance/v1"
	absent := about(other, spdx)
	delete(r, absent.Digest)
	for name, c := range map[string]struct {
		of   digest.Digest
		want string
	}{
		"no index":              {amd.Digest, "pushed without one"},
		"one platform":          {index(amd, about(amd, spdx)), ""},
		"the other format":      {index(amd, about(amd, cyclone)), ""},
		"two platforms":         {index(amd, arm, about(amd, spdx), about(arm, cyclone)), ""},
		"one of two":            {index(amd, arm, about(amd, spdx)), "linux/arm64"},
		"of another image":      {index(amd, about(arm, spdx)), "linux/amd64"},
		"provenance alone":      {index(amd, about(amd, slsa)), "linux/amd64"},
		"one that is not there": {index(other, absent), "linux/s390x"},
		"too many":              {index(make([]v1.Descriptor, maxChildren+1)...), "65 manifests"},
		"nothing but the SBOM":  {index(about(amd, spdx)), ""},
		"without a platform":    {index(v1.Descriptor{Digest: amd.Digest}), amd.Digest.String()},
	} {
		got, err := Missing(c.of, r.read)
		if err != nil || !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := Missing(digest.FromString("gone"), r.read); err == nil {
		t.Error("an image that is gone has its SBOM")
	}
}

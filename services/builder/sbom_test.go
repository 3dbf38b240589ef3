package builder

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/sbom"
)

// A build whose rule wants an SBOM is told which scanner makes it, by its digest; where
// there is none it fails before anything is fetched. A test pushes nothing and needs none.
func TestSBOMNeedsAScanner(t *testing.T) {
	pinned := digest.FromString("pinned")
	for name, c := range map[string]struct {
		scanner *sbom.Scanner
		test    bool
		want    string // of the scanner's name
		why     string // the build failed
	}{
		"none":        {why: "serve --sbom-scanner"},
		"a test":      {test: true},
		"by a tag":    {scanner: &sbom.Scanner{Repository: "acme/app", Tag: "scanner"}, want: "hub.test/acme/app@" + madeDigest},
		"by a digest": {scanner: &sbom.Scanner{Repository: "acme/app", Digest: pinned}, want: "hub.test/acme/app@" + pinned.String()},
		"not there":   {scanner: &sbom.Scanner{Repository: "acme/app", Tag: "none"}, why: "acme/app:none"},
		"gone":        {scanner: &sbom.Scanner{Repository: "acme/app", Digest: digest.FromString("gone")}, why: "acme/app@sha256:"},
	} {
		w := newWorld(t)
		w.Scanner, w.tags.set["scanner"], w.tags.bytes = c.scanner, madeDigest, map[digest.Digest][]byte{pinned: []byte("{}")}
		r := rule("base")
		r.SBOM = true
		w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1", Rule: r, Tags: r.Tags, Test: c.test})
		w.start()
		switch {
		case c.why != "":
			if b := w.await(20, builds.Ended); b.End.Outcome != events.BuildFailed || b.End.Reason != "no-sbom" || !strings.Contains(b.End.Detail, c.why) || b.Epoch != 0 {
				t.Errorf("%s: it ended as %+v", name, b.End)
			}
		case c.test:
			w.await(20, builds.Ended)
		default:
			if b := w.await(20, builds.Pushed); "hub.test/"+b.Scanner != c.want {
				t.Errorf("%s: the log says that %q makes the SBOM", name, b.Scanner)
			}
		}
		if made := w.driver.specs(); c.why == "" && (len(made) != 1 || made[0].Scanner != c.want) {
			t.Errorf("%s: the driver was told %+v", name, made)
		}
		w.stop()
	}
}

// An image that a builder pushed without the SBOM that its rule wants gets no tag.
func TestNoTagWithoutTheSBOM(t *testing.T) {
	image := v1.Descriptor{Digest: digest.FromString("image"), Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}
	about, err := json.Marshal(v1.Manifest{Layers: []v1.Descriptor{{Annotations: map[string]string{"in-toto.io/predicate-type": "https://spdx.dev/Document"}}}})
	check(t, err)
	whole, err := json.Marshal(v1.Index{Manifests: []v1.Descriptor{image, {Digest: digest.FromBytes(about),
		Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.Digest.String()}}}})
	check(t, err)
	for name, c := range map[string]struct {
		bytes []byte // of the image; nil: it was deleted meanwhile
		want  string
	}{
		"with one":    {whole, events.BuildSucceeded},
		"without one": {[]byte(`{"layers":[]}`), events.BuildFailed},
		"deleted":     {nil, events.BuildSucceeded},
	} {
		w := newWorld(t)
		w.tags.bytes = map[digest.Digest][]byte{digest.FromBytes(about): about}
		if c.bytes != nil {
			w.tags.bytes[madeDigest] = c.bytes
		}
		r := rule("base")
		r.SBOM = true
		w.queue(20, "c1", r)
		w.record(events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1}, events.BuildPushed{Namespace: id(acme), Build: id(20), Epoch: 1, Digest: madeDigest})
		b, err := w.Read.Build(t.Context(), id(20))
		check(t, err)
		end, err := w.publish(t.Context(), b)
		check(t, err)
		if end.Outcome != c.want || (end.Outcome == events.BuildFailed) != (end.Reason == "no-sbom") || (len(end.Tags) > 0) != (c.want == events.BuildSucceeded) {
			t.Errorf("%s: it ended as %+v", name, end)
		}
	}
}

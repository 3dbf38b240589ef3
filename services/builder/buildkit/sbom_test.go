package buildkit_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/builder/driver"
)

// scanner pushes a scanner that runs the tool with these words, and is its name.
func (w *world) scanner(tag string, words ...string) string {
	w.t.Helper()
	program, err := toolProgram()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.name + "/admin/scanner@" + w.pushProgram("admin/scanner", tag, "amd64", program, append([]string{"/tool"}, words...)...).Digest().String()
}

// get reads JSON of the registry, and is its text.
func (w *world) get(path string, v any) string {
	w.t.Helper()
	a := w.client.Must(w.t, "GET", "/v2/"+path, nil, "Accept", v1.MediaTypeImageIndex, "Accept", v1.MediaTypeImageManifest)
	if err := errors.Join(a.Is(http.StatusOK), json.Unmarshal(a.Body, v)); err != nil {
		w.t.Fatal(path, err)
	}
	return string(a.Body)
}

// An SBOM is pushed with the image, for each platform, in the index that names both. The
// scanner is none of the images that the image was made from.
func TestSBOM(t *testing.T) {
	w := newWorld(t)
	s := w.spec("FROM REGISTRY/admin/base:1\nCOPY Dockerfile /made\n")
	s.Image, s.Scanner = w.name+"/admin/app", w.scanner("1", "scan")
	s.Platforms = []string{"linux/amd64", "linux/arm64"}
	got := w.run(s).succeeds(t)
	for _, b := range got.result.Bases {
		if b.Repository != "admin/base" {
			t.Errorf("made from %+v", b)
		}
	}
	var index v1.Index
	w.get("admin/app/manifests/"+got.result.Digest, &index)
	var of []digest.Digest
	for _, m := range index.Manifests {
		if m.Annotations["vnd.docker.reference.type"] != "attestation-manifest" {
			of = append(of, m.Digest)
		}
	}
	if len(of) != 2 || len(index.Manifests) != 4 {
		t.Fatalf("the index is %+v", index)
	}
	for k, m := range index.Manifests[2:] {
		var attestation v1.Manifest
		w.get("admin/app/manifests/"+m.Digest.String(), &attestation)
		if m.Annotations["vnd.docker.reference.digest"] != of[k].String() || len(attestation.Layers) != 1 || attestation.Layers[0].Annotations["in-toto.io/predicate-type"] != "https://spdx.dev/Document" {
			t.Fatalf("%+v is of %s", attestation, of[k])
		}
		var statement struct {
			Subject   []struct{ Digest map[string]string }
			Predicate struct{ Files []struct{ FileName string } }
		}
		text := w.get("admin/app/blobs/"+attestation.Layers[0].Digest.String(), &statement)
		if len(statement.Subject) != 1 || statement.Subject[0].Digest["sha256"] != of[k].Encoded() || !strings.Contains(string(text), `"/made"`) {
			t.Errorf("the SBOM of %s is %s", of[k], text)
		}
	}
}

// A scanner that fails fails the build, and a build says which scanner it cannot have.
func TestSBOMFails(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		scanner string
		kind    driver.Kind
		part    string
	}{
		{w.scanner("fails", "exit", "7"), driver.NoSBOM, "exit code: 7"},
		{w.name + "/admin/none@" + digest.FromString("none").String(), driver.NoSBOM, "admin/none"},
	} {
		s := w.spec(fromBase)
		s.Image, s.Scanner = w.name+"/admin/app", c.scanner
		w.run(s).fails(t, c.kind, c.part)
	}
}

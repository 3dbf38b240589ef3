package buildkit_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/builder/driver"
)

const planted = "planted-s3cr3t/value+x"

// Secrets reach the steps that ask for them, and nothing else: no log, name of a
// step, failure, image, argument of a process or file of the machine.
func TestSecrets(t *testing.T) {
	w := newWorld(t)
	s := w.spec(fromBase + "RUN --mount=type=secret,id=token write /proof ok\n" +
		"RUN --mount=type=secret,id=token cat /run/secrets/token\n" +
		"RUN --mount=type=secret,id=token,env=TOKEN env TOKEN\n" +
		"RUN echo " + planted + "\n" +
		"RUN hang\n")
	s.Secrets = map[string][]byte{"token": []byte(planted), "short": []byte("abc")}
	s.Image = w.name + "/admin/app"
	b, err := w.driver.Prepare(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var got told
	got.result, got.err = b.Run(t.Context(), func(e driver.Event) {
		got.take(e)
		if strings.Contains(string(e.Data), "hanging") {
			w.nowhere(planted)
			b.Cancel()
		}
	})
	got.fails(t, driver.Cancelled, "")
	if got := got.String(); strings.Contains(got, "planted") || strings.Count(got, "***") < 4 {
		t.Errorf("told:\n%s", got)
	}
	if err := b.Destroy(); err != nil {
		t.Error(err)
	}

	s.Checkout = checkout(t, "Dockerfile", strings.ReplaceAll(fromBase, "REGISTRY", w.name)+
		"RUN --mount=type=secret,id=token cat /run/secrets/token\nRUN --mount=type=secret,id=token,env=TOKEN env TOKEN\n")
	got = w.run(s).succeeds(t)
	if strings.Count(got.log, "***") != 2 {
		t.Errorf("the log is %q", got.log)
	}
	if image := w.content("admin/app", got.result.Digest); strings.Contains(image, "planted") || !strings.Contains(image, "/run/secrets/token") {
		t.Error("the secret is in the image, or its history is not")
	}

	s.Checkout = checkout(t, "Dockerfile", "FROM scratch\nCOPY "+planted+" /\n")
	f := w.run(s).fails(t, driver.Source, "***")
	if strings.Contains(f.Text, "planted") {
		t.Error(f)
	}
}

// nowhere wants a text in no file of the builder and in no argument or environment
// of its processes outside of the steps.
func (w *world) nowhere(text string) {
	w.t.Helper()
	filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if data, _ := os.ReadFile(path); bytes.Contains(data, []byte(text)) {
				w.t.Errorf("it is in %s", path)
			}
		}
		return nil
	})
	list := w.processes()
	if len(list) < 3 {
		w.t.Errorf("the build has %d processes", len(list))
	}
	for _, p := range list {
		environment, _ := os.ReadFile(filepath.Join("/proc", strings.Fields(p)[1], "environ"))
		if strings.Contains(p, text) || bytes.Contains(environment, []byte(text)) {
			w.t.Errorf("%s has it in its arguments or environment", p)
		}
	}
}

// content is a manifest with its config and layers.
func (w *world) content(repository, digest string) string {
	w.t.Helper()
	manifest := w.client.Must(w.t, "GET", "/v2/"+repository+"/manifests/"+digest, nil, "Accept", v1.MediaTypeImageManifest).Want(w.t, 200).Body
	var m v1.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		w.t.Fatal(err)
	}
	all := string(manifest)
	for _, d := range append(m.Layers, m.Config) {
		blob := w.client.Must(w.t, "GET", "/v2/"+repository+"/blobs/"+d.Digest.String(), nil).Want(w.t, 200).Body
		if unpacked, err := gzip.NewReader(bytes.NewReader(blob)); err == nil {
			if blob, err = io.ReadAll(unpacked); err != nil {
				w.t.Fatal(err)
			}
		}
		all += string(blob)
	}
	return all
}

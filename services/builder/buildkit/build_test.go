package buildkit_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/services/builder/driver"
)

// A build of two steps is pushed by digest, and can be pulled.
func TestBuild(t *testing.T) {
	w := newWorld(t)
	s := w.spec("# syntax=docker/dockerfile:1\nFROM REGISTRY/admin/base:1 AS one\nRUN write /message hello\nRUN echo building\nFROM scratch\nCOPY --from=one /message /\nCOPY file /\n", "file", "content")
	s.Image = w.name + "/admin/app"
	got := w.run(s).succeeds(t)
	if !strings.Contains(got.log, "building\n") {
		t.Errorf("the log is %q", got.log)
	}
	steps := map[int]driver.EventKind{}
	for _, e := range got.events {
		switch {
		case e.Kind == driver.Began && steps[e.Step] != "", e.Kind == driver.Ended && steps[e.Step] != driver.Began, e.Kind == driver.Failed:
			t.Errorf("%+v after %q", e, steps[e.Step])
		case e.Kind == driver.Began, e.Kind == driver.Ended, e.Kind == driver.Cached:
			steps[e.Step] = e.Kind
		}
	}
	for n, kind := range steps {
		if kind == driver.Began {
			t.Errorf("step %d does not end", n)
		}
	}
	crane := filepath.Join("..", "..", "..", ".tmp", "bin", "crane")
	out, err := exec.Command(crane, "version").CombinedOutput()
	_ = out
	_ = err
	if _, err := w.client.Pull("admin/app", got.result.Digest); err != nil {
		t.Error(err)
	}
}

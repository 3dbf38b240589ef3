package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/services/cmd/console"
	"hubledger/services/registry/registrytest"
)

// A copy of a hub that ran, with a log older than its projections, serves what it
// has, read-only, until it is restored, which loses nothing.
func TestHotCopyServesReadOnly(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	c := registrytest.NewClient(asURL(h, admin))
	defer c.Close()
	if err := c.Push("admin/app", "v1", registrytest.NewImage("v1")); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := h.Run("repos", "set", "admin/app", "--visibility", "public"); code != console.ExitOK {
		t.Fatal(stderr)
	}
	h.Stop()
	older := filepath.Join(t.TempDir(), "nats")
	copyTree(t, filepath.Join(h.Data, "nats"), older)
	h.Start()
	if err := c.Push("admin/app", "v2", registrytest.NewImage("v2")); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	for _, name := range []string{"nats", "seal.json"} {
		if err := os.RemoveAll(filepath.Join(h.Data, name)); err != nil {
			t.Fatal(err)
		}
	}
	copyTree(t, older, filepath.Join(h.Data, "nats"))
	h.Start()
	if !h.ReadOnly {
		t.Fatal("a log behind its projections is trusted")
	}
	anonymous := registrytest.NewClient(h.URL)
	defer anonymous.Close()
	if _, err := anonymous.Pull("admin/app", "v2"); err != nil {
		t.Errorf("a pull: %v", err)
	}
	if err := c.Push("admin/app", "v3", registrytest.NewImage("v3")); err == nil {
		t.Error("a push is accepted")
	}
	stdout, stderr, code := h.Run("status")
	if code != console.ExitGuard || !strings.Contains(stdout, "problem    read-only") || !strings.Contains(stderr, "behind") || !strings.Contains(stderr, "events restore") {
		t.Errorf("status: %d\n%s%s", code, stdout, stderr)
	}
	h.Stop()
	if code := h.Cmd.ProcessState.ExitCode(); code != console.ExitGuard {
		t.Errorf("it ended with %d", code)
	}
	if _, stderr, code := h.Run("events", "restore"); code != console.ExitOK {
		t.Fatalf("restore: %d, %s", code, stderr)
	}
	// The next start finishes a restore that ended before it moved the projections aside.
	if err := os.Rename(glob(t, h.Data, "projections.before-*")[0], filepath.Join(h.Data, "projections")); err != nil {
		t.Fatal(err)
	}
	h.Start()
	ready(t, h)
	if _, err := c.Pull("admin/app", "v2"); err != nil {
		t.Errorf("after the restore: %v", err)
	}
}

// Projections of another log are neither served as this one's nor restored from.
func TestProjectionsOfAnotherLog(t *testing.T) {
	t.Parallel()
	other, h := startHub(t), startHub(t)
	organizations(t, h, "acme")
	other.Stop()
	h.Stop()
	projections := filepath.Join(h.Data, "projections")
	if err := os.RemoveAll(projections); err != nil {
		t.Fatal(err)
	}
	copyTree(t, filepath.Join(other.Data, "projections"), projections)
	h.Start()
	if _, stderr, code := h.Run("status"); !h.ReadOnly || code != console.ExitGuard || !strings.Contains(stderr, "generation") {
		t.Errorf("read-only: %t, status: %d, %s", h.ReadOnly, code, stderr)
	}
	h.Stop()
	if _, stderr, code := h.Run("events", "restore"); code != console.ExitFail || !strings.Contains(stderr, "of another log") {
		t.Errorf("restore: %d, %s", code, stderr)
	}
	if err := os.RemoveAll(projections); err != nil {
		t.Fatal(err)
	}
	h.Start()
	ready(t, h)
}

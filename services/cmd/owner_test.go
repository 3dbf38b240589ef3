package cmd

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"hubledger/services/cmd/console"
)

// A hub that runs as its own user goes on after root has run commands on its data
// directory: everything in it still belongs to that user.
func TestRootsCommandsLeaveTheHubItsFiles(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a hub as another user")
	}
	const uid, gid = 54321, 54322
	// Another user can reach neither t.TempDir nor the program.
	dir, err := os.MkdirTemp("", "hub-user")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "hubledger")
	if out, err := exec.Command("cp", program(t), own).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, own: 0o755, data: 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(data, uid, gid); err != nil {
		t.Fatal(err)
	}
	h := hubOn(t, data)
	h.program, h.credential = own, &syscall.Credential{Uid: uid, Gid: gid}
	h.Start()
	organizations(t, h, "acme")
	for _, step := range []struct {
		stopped bool
		args    []string
	}{
		{false, []string{"projections", "prepare", "images"}},
		{false, []string{"projections", "compare", "images"}},
		{false, []string{"projections", "switch", "images"}},
		{true, []string{"projections", "prepare", "catalog"}},
		{false, []string{"tls", "init", "--host", "hub.example.org"}},
		{true, []string{"events", "restore"}},
	} {
		if step.stopped {
			h.Stop()
		}
		if _, stderr, code := h.Run(step.args...); code != console.ExitOK {
			t.Errorf("%q: %d, %s", step.args, code, stderr)
		}
		err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
			var info fs.FileInfo
			if err == nil {
				info, err = os.Lstat(path)
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a temporary file that is gone again
			}
			if err != nil {
				return err
			}
			if has := info.Sys().(*syscall.Stat_t); has.Uid != uid || has.Gid != gid {
				t.Errorf("after %q %s belongs to %d:%d", step.args, path, has.Uid, has.Gid)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if step.stopped {
			h.Start()
			ready(t, h)
		}
	}
	h.Stop()
	// Root runs the hub itself, once.
	h.credential = nil
	h.Restart()
	organizations(t, h, "globex")
	h.Stop()
	h.credential = &syscall.Credential{Uid: uid, Gid: gid}
	h.Start()
	ready(t, h)
	h.Stop()
}

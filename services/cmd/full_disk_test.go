package cmd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/registry/registrytest"
)

// On a disk below its reserve, and on one that others have filled to the last byte,
// nobody can push, and rights can be taken away, users locked out and images deleted.
func TestRightsEndOnAFullDisk(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]int64{"below the reserve": 40 << 20, "full": 0} {
		t.Run(name, func(t *testing.T) {
			disk := t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256m"); err != nil {
				t.Skip("a file system of limited size needs root: ", err)
			}
			t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
			h := startHubOn(t, filepath.Join(disk, "data"), "--reserve", "64000000")
			c := registrytest.NewClient(asURL(h, admin))
			defer c.Close()
			push := func(tag string) error { return c.Push("admin/app", tag, registrytest.NewImage(tag)) }
			if err := push("v1"); err != nil {
				t.Fatal(err)
			}
			must := func(args ...string) string {
				t.Helper()
				stdout, stderr, code := h.Run(args...)
				if code != console.ExitOK {
					t.Errorf("%s: %d, %s", strings.Join(args, " "), code, stderr)
				}
				return stdout
			}
			for _, user := range []string{"bob", "carol", "dave"} {
				must("users", "create", user, "--email", user+"@example.com")
			}
			must("orgs", "create", "acme", "--owner", "carol")
			must("orgs", "members", "add", "acme", "bob")
			token := strings.Fields(must("tokens", "create", "ci", "--for", "bob", "--level", "write"))[2]
			ballast := filepath.Join(h.Data, "ballast")
			for info, err := os.Stat(ballast); err != nil || info.Size() < 32<<20; info, err = os.Stat(ballast) {
				time.Sleep(10 * time.Millisecond)
			}
			fillUpTo(t, filepath.Join(disk, "others"), left)
			h.Restart() // a start makes room for itself
			if err := push("v2"); err == nil {
				t.Error("a push is accepted")
			}
			if _, stderr, code := h.Run("users", "create", "erin"); code != console.ExitFail || !strings.Contains(stderr, "full") {
				t.Errorf("a new user: %d, %s", code, stderr)
			}
			must("tokens", "revoke", token, "--for", "bob")
			must("users", "set", "bob", "--disable")
			must("users", "reset-password", "carol", "--generate")
			must("users", "email", "carol", "--remove")
			must("users", "erase", "dave", "--confirm", "dave")
			must("orgs", "members", "rm", "acme", "bob")
			must("quota", "admin", "--bytes", "1000")
			must("repos", "set", "admin/app", "--visibility", "private")
			must("repos", "rm", "admin/app")
			if err := os.Remove(filepath.Join(disk, "others")); err != nil {
				t.Fatal(err)
			}
			must("users", "create", "erin")
			must("quota", "admin", "--bytes", "0")
			if err := c.Push("admin/other", "v1", registrytest.NewImage("v1")); err != nil {
				t.Errorf("with space again: %v", err)
			}
			h.Stop()
		})
	}
}

// fillUpTo writes a file until only that many bytes are left on its disk.
func fillUpTo(t *testing.T, path string, left int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		var s syscall.Statfs_t
		if err := syscall.Fstatfs(int(f.Fd()), &s); err != nil {
			t.Fatal(err)
		}
		if free := int64(s.Bavail) * s.Bsize; free <= left {
			return
		}
		if _, err := f.Write(make([]byte, 64<<10)); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

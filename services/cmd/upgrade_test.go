package cmd

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"hubledger/services/registry/registrytest"
)

// Data directories of earlier versions, one a release, go on with this program: it reads
// what they have, verifies it, and writes more. testdata/upgrade has them as they were when
// the hub was stopped. All were filled alike: three pushes, one of which adds a tag, a user,
// an organization with a team, grants, a description, and a tag that was deleted again
// where the version could do that.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	files := glob(t, "testdata/upgrade", "*.tar.zst")
	if len(files) < 3 {
		t.Fatalf("there are %d old data directories", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".tar.zst"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			unpack(t, file, dir)
			h := startHubOn(t, filepath.Join(dir, "data"))
			if h.ReadOnly {
				t.Fatalf("the hub is read-only\n%s", h.Log())
			}
			mustSay := func(want string, args ...string) {
				t.Helper()
				if out, stderr, code := h.Run(args...); code != 0 || !strings.Contains(out, want) {
					t.Errorf("hubledger %s: exit code %d, %q is not in %s%s", strings.Join(args, " "), code, want, out, stderr)
				}
			}
			c := registrytest.NewClient(asURL(h, admin))
			defer c.Close()
			for _, tag := range []string{"1.0", "latest"} {
				if _, err := c.Pull("admin/app", tag); err != nil {
					t.Errorf("pull %s: %v", tag, err)
				}
			}
			if err := c.Push("acme/web", "1", registrytest.NewImage("new")); err != nil {
				t.Error(err)
			}
			mustSay("alice", "orgs", "members", "ls", "acme")
			mustSay("role write by team:devs", "repos", "access", "acme/web", "alice")
			mustSay("An app", "repos", "show", "admin/app")
			mustSay("agree", "verify")
			mustSay("pushed admin/app:1.0", "why", "admin/app:1.0")
			h.Restart()
			if _, err := c.Pull("acme/web", "1"); err != nil {
				t.Error(err)
			}
			h.Stop()
			mustSay("agree", "verify")
		})
	}
}

// unpack unpacks a compressed archive of plain files and directories.
func unpack(t *testing.T, file, to string) {
	t.Helper()
	err := func() error {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || info.Size() > 400_000 {
			return fmt.Errorf("it is too large to be kept: %v, %w", info, err)
		}
		z, err := zstd.NewReader(f)
		if err != nil {
			return err
		}
		defer z.Close()
		for r := tar.NewReader(z); ; {
			head, err := r.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			path := filepath.Join(to, head.Name)
			if head.Typeflag == tar.TypeDir {
				err = os.MkdirAll(path, 0o700)
			} else {
				var content []byte
				if content, err = io.ReadAll(r); err == nil {
					err = os.WriteFile(path, content, 0o600)
				}
			}
			if err != nil {
				return err
			}
		}
	}()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

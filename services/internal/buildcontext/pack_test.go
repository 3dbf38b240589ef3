package buildcontext

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write makes a directory with these files; one whose name ends with / is a directory.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(file), 0o755))
		if strings.HasSuffix(name, "/") {
			check(t, os.MkdirAll(file, 0o755))
			continue
		}
		check(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}

// names are the paths below a directory.
func names(t testing.TB, dir string) (list []string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); rel != "." {
			list = append(list, rel)
		}
		return err
	}))
	return list
}

// pack packs a directory.
func pack(t testing.TB, dir, dockerfile string) ([]byte, Packed) {
	t.Helper()
	tree, err := Open(dir, dockerfile)
	check(t, err)
	var b bytes.Buffer
	p, err := tree.Pack(t.Context(), &b, DefaultLimits)
	check(t, err)
	return b.Bytes(), p
}

// What .dockerignore leaves out is as docker has it.
func TestIgnore(t *testing.T) {
	for what, c := range map[string]struct{ ignore, dockerfile, want string }{
		"nothing":                        {"", "Dockerfile", ".git .git/HEAD Dockerfile README.md a a/b a/b/keep.go a/b/x.log docker docker/Dockerfile empty node_modules node_modules/m node_modules/m/i.js"},
		"directories and globs":          {"# comment\n.git\nnode_modules\n**/*.log\n", "Dockerfile", ".dockerignore Dockerfile README.md a a/b a/b/keep.go docker docker/Dockerfile empty"},
		"all but some":                   {"*\n!a/b/*.go\n", "Dockerfile", ".dockerignore Dockerfile a a/b a/b/keep.go"},
		"a directory but a file of it":   {"a\nnode_modules\n.git\n!**/keep.go", "Dockerfile", ".dockerignore Dockerfile README.md a a/b a/b/keep.go docker docker/Dockerfile empty"},
		"the Dockerfile is needed":       {"Docker*\ndocker\n.*\n*.md\nempty\na\nnode_modules\n", "Dockerfile", ".dockerignore Dockerfile"},
		"the Dockerfile that is chosen":  {"*\n", "docker/Dockerfile", ".dockerignore docker docker/Dockerfile"},
		"a slash before and behind it":   {"/a/\n/node_modules\n.git/\n", "Dockerfile", ".dockerignore Dockerfile README.md docker docker/Dockerfile empty"},
		"something outside of it":        {"../x\n*\n", "Dockerfile", ".dockerignore Dockerfile"},
		"everything, one file at a time": {"**\n!README.md\n", "Dockerfile", ".dockerignore Dockerfile README.md"},
	} {
		files := map[string]string{"Dockerfile": "FROM scratch", "docker/Dockerfile": "", "README.md": "", "a/b/keep.go": "", "a/b/x.log": "", "node_modules/m/i.js": "", ".git/HEAD": "", "empty/": ""}
		if c.ignore != "" {
			files[".dockerignore"] = c.ignore
		}
		packed, _ := pack(t, write(t, files), c.dockerfile)
		to := t.TempDir()
		check(t, Unpack(bytes.NewReader(packed), to, DefaultLimits))
		if got := strings.Join(names(t, to), " "); got != c.want {
			t.Errorf("%s: sent are\n%s, not\n%s", what, got, c.want)
		}
	}
	// A file beside the Dockerfile comes before .dockerignore.
	packed, _ := pack(t, write(t, map[string]string{"x.Dockerfile": "", "x.Dockerfile.dockerignore": "a\n", ".dockerignore": "b\n", "a": "", "b": ""}), "x.Dockerfile")
	to := t.TempDir()
	check(t, Unpack(bytes.NewReader(packed), to, DefaultLimits))
	if got := strings.Join(names(t, to), " "); got != ".dockerignore b x.Dockerfile x.Dockerfile.dockerignore" {
		t.Errorf("by the file beside the Dockerfile: %s", got)
	}
	dir := write(t, map[string]string{"Dockerfile": "", ".dockerignore": "[a\n"})
	if _, err := Open(dir, "Dockerfile"); err == nil || !strings.Contains(err.Error(), ".dockerignore") {
		t.Errorf("a pattern that is none: %v", err)
	}
}

// What is packed comes out as it was, whatever the umask, and has the same bytes when it
// is packed again after its times have changed. Sockets are left out and told.
func TestPackAndUnpack(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	dir := write(t, map[string]string{"Dockerfile": "FROM scratch", "bin/run": "#!/bin/sh\n", ".wh.file": "a plain file", "secret": "x"})
	check(t, os.Chmod(filepath.Join(dir, "bin"), 0o755))
	check(t, os.Chmod(filepath.Join(dir, "bin/run"), 0o755))
	check(t, os.Chmod(filepath.Join(dir, "Dockerfile"), 0o644))
	check(t, os.Chmod(filepath.Join(dir, "secret"), 0o640))
	check(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	check(t, err)
	defer l.Close()
	packed, p := pack(t, dir, "Dockerfile")
	if p.Files != 6 || p.Bytes != 35 || !slices.Equal(p.Skipped, []string{"socket"}) {
		t.Errorf("packed are %+v", p)
	}
	to := t.TempDir()
	check(t, Unpack(bytes.NewReader(packed), to, DefaultLimits))
	for name, want := range map[string]fs.FileMode{"bin": fs.ModeDir | 0o755, "bin/run": 0o755, "Dockerfile": 0o644, "secret": 0o640, ".wh.file": 0o600, "link": fs.ModeSymlink | 0o777} {
		if info, err := os.Lstat(filepath.Join(to, name)); err != nil || info.Mode() != want {
			t.Errorf("%s is %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(to, "bin/run")); err != nil || string(text) != "#!/bin/sh\n" {
		t.Errorf("it has %q, %v", text, err)
	}
	check(t, os.Chtimes(filepath.Join(dir, "secret"), time.Unix(1, 0), time.Unix(1, 0)))
	if again, _ := pack(t, dir, "Dockerfile"); !bytes.Equal(again, packed) {
		t.Error("packed again it has other bytes")
	}
}

// A directory that is too large is refused before it is read: that with a file of 1 TB, of
// which nothing is on the disk, at once.
func TestPackIsBounded(t *testing.T) {
	dir := write(t, map[string]string{"Dockerfile": "", "large": ""})
	check(t, os.Truncate(filepath.Join(dir, "large"), 1<<40))
	tree, err := Open(dir, "Dockerfile")
	check(t, err)
	var b bytes.Buffer
	if _, err := tree.Pack(t.Context(), &b, DefaultLimits); !errors.Is(err, ErrTooLarge) {
		t.Errorf("of 1 TB: %v", err)
	}
	if _, err := tree.Pack(t.Context(), &b, Limits{Bytes: 2 << 40, Files: 1}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("of two files: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "Dockerfile"), "Dockerfile"); err == nil || !strings.Contains(err.Error(), "is no directory") {
		t.Errorf("a file: %v", err)
	}
}

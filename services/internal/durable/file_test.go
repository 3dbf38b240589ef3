package durable

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A File gets its name when all of it is on disk, and leaves nothing when it gets none.
func TestFile(t *testing.T) {
	r, dir := &recorder{}, t.TempDir()
	path := filepath.Join(dir, "file")
	for _, content := range []string{"old", "new"} {
		f, err := Create(r, dir, "writing-")
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{content[:1], content[1:]} {
			if n, err := f.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := f.Name(path); err != nil || f.Size() != int64(len(content)) {
			t.Fatal(f.Size(), err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		onlyFileIs(t, path, content)
	}
	if len(r.synced) != 4 || r.synced[1] != dir || r.synced[3] != dir {
		t.Errorf("synced are %q", r.synced)
	}
	given, err := Create(r, dir, "writing-")
	if err != nil {
		t.Fatal(err)
	}
	if err := given.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Replace(r, filepath.Join(dir, "no", "file"), nil, "writing-"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a directory: %v", err)
	}
	onlyFileIs(t, path, "new")
}

// MakeDir syncs every directory in which a name may be new, the deepest first.
func TestMakeDir(t *testing.T) {
	top := t.TempDir()
	root := filepath.Join(top, "a", "root")
	for dir, want := range map[string][]string{
		root:                          {filepath.Join(top, "a"), top},
		filepath.Join(root, "b", "c"): {filepath.Join(root, "b"), root, filepath.Join(top, "a")},
	} {
		r := &recorder{}
		if dir != root {
			if err := os.MkdirAll(root, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.RemoveAll(filepath.Join(top, "a")); err != nil {
			t.Fatal(err)
		}
		if err := MakeDir(r, root, dir); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() || !slices.Equal(r.synced, want) {
			t.Errorf("%s: synced are %q, not %q; %v", dir, r.synced, want, err)
		}
	}
}

package durable

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// recorder notes what is synced.
type recorder struct {
	OS
	synced []string
}

func (r *recorder) Sync(f *os.File) error {
	r.synced = append(r.synced, f.Name())
	return r.OS.Sync(f)
}

// A Batch syncs every file before it gets its name, and then each directory in which a name
// may be new, once, the deepest first.
func TestBatch(t *testing.T) {
	data := t.TempDir()
	root := filepath.Join(data, "proofs", "G1")
	r := &recorder{}
	b := NewBatch(r, root)
	for _, name := range []string{"tile/0/000", "tile/0/001", "keys", "tile/0/001"} {
		if err := b.Put(name, []byte(name+" of the batch")); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != name+" of the batch" {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	files := []string{"tile/0/000.new", "tile/0/001.new", "keys.new", "tile/0/001.new"}
	for k := range files {
		files[k] = filepath.Join(root, files[k])
	}
	if !slices.Equal(r.synced, files) {
		t.Errorf("synced are %q", r.synced)
	}
	r.synced = nil
	if err := b.Sync(); err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(root, "tile/0"), filepath.Join(root, "tile"), root, filepath.Dir(root), data}
	if !slices.Equal(r.synced, want) {
		t.Errorf("synced are %q, not %q", r.synced, want)
	}
	r.synced = nil
	if err := b.Sync(); err != nil || len(r.synced) > 0 {
		t.Errorf("without anything new synced are %q: %v", r.synced, err)
	}
	left, err := filepath.Glob(filepath.Join(root, "*.new"))
	if err != nil || len(left) > 0 {
		t.Errorf("left are %q: %v", left, err)
	}
}

package tree_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/tree"
)

// The root of the edge is the one that x/mod computes, at every size round the borders of
// tiles.
func TestRoots(t *testing.T) {
	l := newLog(600)
	var e tree.Edge
	for k, leaf := range l {
		check(t, e.Add(tlog.Hash(leaf), func(int, int64, []byte) error { return nil }))
		if n := k + 1; n < 20 || n%64 < 2 || n > 598 {
			if got, want := e.Root(), l.root(t, n); got != want {
				t.Fatalf("the root of %d leaves is %v, not %v", n, got, want)
			}
		}
	}
}

// However a tree grows, each checkpoint has the root of its events, every tile that a
// checkpoint once needed can be read, and every leaf can be proved; any two checkpoints are
// consistent.
func TestGrow(t *testing.T) {
	const n = 70_000
	l, dir := newLog(n), tree.Dir(filepath.Join(t.TempDir(), "proofs", "G1"))
	g := grower(dir, l)
	if _, _, err := dir.Signed(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("before the first one: %v", err)
	}
	sizes := []uint64{1, 2, 3, 255, 256, 257, 258, 511, 65_535, 65_536, 65_537, n}
	var all []checkpoint.Checkpoint
	for _, size := range sizes {
		grow(t, g, size)
		_, c, err := dir.Signed()
		check(t, err)
		if c.N != int64(size) || c.Origin != "hub.test/G1" {
			t.Fatalf("signed is %+v, not %d", c, size)
		}
		all = append(all, c)
	}
	last := all[len(all)-1]
	if last.Hash != l.root(t, n) {
		t.Error("the last root is another one")
	}
	for _, c := range all {
		for _, at := range []int64{0, c.N / 2, c.N - 1} {
			p, err := tlog.ProveRecord(c.N, at, dir.Hashes(c.Tree)) // reads the tiles of that size
			check(t, err)
			check(t, tlog.CheckRecord(p, c.N, c.Hash, at, tlog.Hash(l[at])))
		}
		p, err := tlog.ProveTree(last.N, c.N, dir.Hashes(last.Tree))
		check(t, err)
		check(t, tlog.CheckTree(p, last.N, last.Hash, c.N, c.Hash))
	}
	// What has grown is not kept twice.
	files := 0
	check(t, filepath.WalkDir(string(dir), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files++
		}
		return err
	}))
	if want := 273 + 1 + 3 + 2; files != want { // full tiles of levels 0 and 1, the three partial ones, checkpoint and keys
		t.Errorf("there are %d files, not %d", files, want)
	}
	// Growing at once makes the same bytes.
	again := tree.Dir(filepath.Join(t.TempDir(), "G1"))
	grow(t, grower(again, l), n)
	for _, name := range []string{"checkpoint", "tile/0/000", "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"} {
		a, err := os.ReadFile(filepath.Join(string(dir), name))
		check(t, err)
		b, err := os.ReadFile(filepath.Join(string(again), name))
		check(t, err)
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

// Nothing is signed that an earlier checkpoint contradicts, and what is on disk stays as
// it is.
func TestNothingInconsistentIsSigned(t *testing.T) {
	const n = 1000
	for name, damage := range map[string]func(t *testing.T, l fakeLog, dir tree.Dir) fakeLog{
		"an event is another one": func(t *testing.T, l fakeLog, dir tree.Dir) fakeLog {
			l[17] = leafOf(-1)
			check(t, os.Remove(filepath.Join(string(dir), "tile/0/003.p/232"))) // so that it is looked at
			return l
		},
		"the last signed event is another one": func(t *testing.T, l fakeLog, dir tree.Dir) fakeLog {
			l[n-1] = leafOf(-1)
			check(t, os.RemoveAll(filepath.Join(string(dir), "tile")))
			return l
		},
		"the log is shorter": func(_ *testing.T, l fakeLog, _ tree.Dir) fakeLog { return l[:n-1] },
		"the checkpoint was changed": func(t *testing.T, l fakeLog, dir tree.Dir) fakeLog {
			rewrite(t, dir, "checkpoint", func(b []byte) []byte { return bytes.Replace(b, []byte("\n1000\n"), []byte("\n1001\n"), 1) })
			return l
		},
		"the checkpoint is empty": func(t *testing.T, l fakeLog, dir tree.Dir) fakeLog {
			rewrite(t, dir, "checkpoint", func([]byte) []byte { return nil })
			return l
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, dir := newLog(n+100), tree.Dir(t.TempDir())
			grow(t, grower(dir, l), n)
			l = damage(t, l, dir)
			before, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
			check(t, err)
			var contradicts *tree.ContradictionError
			if err := grower(dir, l).Grow(t.Context(), uint64(len(l))); !errors.As(err, &contradicts) {
				t.Fatalf("it is signed, or the error is %v", err)
			}
			after, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
			check(t, err)
			if !bytes.Equal(before, after) {
				t.Error("the checkpoint was replaced")
			}
		})
	}
}

// Tiles that were lost or damaged are made anew, when the log is the one that was signed.
func TestDamagedTilesAreMadeAnew(t *testing.T) {
	l := newLog(1100)
	for name, damage := range map[string]func(t *testing.T, dir tree.Dir){
		"lost":    func(t *testing.T, dir tree.Dir) { check(t, os.RemoveAll(filepath.Join(string(dir), "tile"))) },
		"changed": func(t *testing.T, dir tree.Dir) { rewrite(t, dir, "tile/0/003.p/232", flip) },
		"cut off": func(t *testing.T, dir tree.Dir) {
			rewrite(t, dir, "tile/1/000.p/3", func(b []byte) []byte { return b[:10] })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree.Dir(t.TempDir())
			grow(t, grower(dir, l), 1000)
			damage(t, dir)
			grow(t, grower(dir, l), 1100)
			_, c, err := dir.Signed()
			check(t, err)
			for _, at := range []int64{0, 999, 1099} {
				_, err := tlog.ProveRecord(c.N, at, dir.Hashes(c.Tree))
				check(t, err)
			}
		})
	}
}

// A log that was restored is signed by another name, and only if it has the events that
// it is said to have kept.
func TestRestoredLog(t *testing.T) {
	old := tree.Dir(t.TempDir())
	l := newLog(1000)
	grow(t, grower(old, l), 900)
	lost := append(newLog(800), leafOf(-1), leafOf(-2))
	whole := append(newLog(900), leafOf(-1))
	other := newLog(1000)
	other[5] = leafOf(-5)
	for _, c := range []struct {
		name string
		log  fakeLog
		kept uint64
		ok   bool
	}{
		{"whole", whole, 900, true}, {"with a lost tail", lost, 800, true}, {"more than was signed", newLog(1000), 950, true},
		{"not known what was kept", other, 0, true}, {"another one", other, 900, false}, {"another one with a lost tail", other, 800, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree.Dir(t.TempDir())
			g := grower(dir, c.log)
			g.Origin, g.Before = "hub.test/G2", &tree.Before{Dir: old, Kept: c.kept}
			err := g.Grow(t.Context(), uint64(len(c.log)))
			var contradicts *tree.ContradictionError
			if c.ok != (err == nil) || !c.ok && !errors.As(err, &contradicts) {
				t.Fatal(err)
			}
			if _, _, err := dir.Signed(); c.ok != (err == nil) {
				t.Errorf("signed: %v", err)
			}
		})
	}
}

// Only paths of tiles are read, and only what the tree has.
func TestPaths(t *testing.T) {
	for _, path := range []string{"tile/0/000", "tile/0/x001/234", "tile/1/000.p/17", "tile/7/000.p/1"} {
		if _, err := tree.ParsePath(path); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{"", "tile/", "tile/0/../keys", "tile/00/000", "tile/0/0", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/1234", "tile/-1/000", "tile/data/000",
		"tile/8/000", "tile/0/000/", "tile/0/x001/../234", "keys", "checkpoint", "tile/entries/000", "tile/0/" + strings.Repeat("x999/", 30) + "999"} {
		if p, err := tree.ParsePath(path); err == nil {
			t.Errorf("%q is taken for %+v", path, p)
		}
	}
	for _, c := range []struct {
		path string
		size int64
		want bool
	}{{"tile/0/000.p/5", 5, true}, {"tile/0/000.p/6", 5, false}, {"tile/0/000", 255, false}, {"tile/0/000", 256, true}, {"tile/1/000.p/1", 256, true},
		{"tile/1/000.p/1", 255, false}, {"tile/0/x001/000", 256_000, false}, {"tile/0/x001/000", 256_256, true}, {"tile/7/000.p/1", 1 << 56, true}, {"tile/7/000.p/1", 1<<56 - 1, false}} {
		p, err := tree.ParsePath(c.path)
		check(t, err)
		if got := tree.Within(p, c.size); got != c.want {
			t.Errorf("%s within %d: %v", c.path, c.size, got)
		}
	}
}

func rewrite(t *testing.T, dir tree.Dir, name string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(string(dir), name)
	b, err := os.ReadFile(path)
	check(t, err)
	check(t, os.WriteFile(path, change(b), 0o600))
}

func flip(b []byte) []byte {
	b[rand.IntN(len(b))] ^= 1
	return b
}

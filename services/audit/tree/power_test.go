package tree_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/tree"
	"hubledger/services/internal/durable"
	"hubledger/services/registry/blobs/faultfs"
)

// cuts is how often the power fails: more with HUBLEDGER_SOAK, most when that is long.
func cuts() int {
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
		return 100
	case "long":
		return 2000
	}
	return 500
}

// Whenever the power fails while the tree grows, what is left is a tree that goes on: no
// checkpoint that Grow has answered for is lost, none contradicts another one, and none lacks
// a tile.
func TestPowerCuts(t *testing.T) {
	l, promised := newLog(3000), 0
	for i := range cuts() {
		n, problem := cutWhileGrowing(t, l, uint64(i), false)
		if promised += n; problem != nil {
			t.Errorf("cut %d: %v", i, problem)
		}
	}
	if promised < cuts() {
		t.Fatalf("only %d checkpoints were promised in %d runs: nothing was put to the test", promised, cuts())
	}
}

// The same on a disk that does not sync has to lose something, or the test above proves
// nothing.
func TestPowerCutsOnALyingDisk(t *testing.T) {
	l := newLog(3000)
	for i := range 200 {
		if _, problem := cutWhileGrowing(t, l, uint64(i), true); problem != nil {
			return
		}
	}
	t.Fatal("a disk that syncs nothing lost nothing in 200 power cuts")
}

func cutWhileGrowing(t *testing.T, l fakeLog, seed uint64, lying bool) (promised int, problem error) {
	random := rand.New(rand.NewPCG(seed, 1))
	disk := faultfs.New(t.TempDir())
	defer disk.Close()
	disk.IgnoreSync = lying
	g := grower(tree.Dir(filepath.Join(disk.Root(), "proofs", "G1")), l)
	g.FS = disk
	disk.CutAfter(1 + random.IntN(250))
	at := int64(0)
	for size := uint64(0); ; promised++ {
		if size += 1 + random.Uint64N(600); size > uint64(len(l)) {
			disk.Cut()
		}
		if g.Grow(t.Context(), min(size, uint64(len(l)))) != nil {
			break
		}
		at = int64(size)
	}
	remains := t.TempDir()
	check(t, disk.Remains(remains, random))
	return promised, goesOn(t, tree.Dir(filepath.Join(remains, "proofs", "G1")), l, at)
}

// goesOn says what is wrong with a tree that has signed so many events at least.
func goesOn(t *testing.T, dir tree.Dir, l fakeLog, signed int64) error {
	_, c, err := dir.Signed()
	if errors.Is(err, fs.ErrNotExist) && signed == 0 {
		err = nil
	}
	if err != nil {
		return err
	}
	if c.N < signed {
		return errors.New("of " + strconv.Itoa(int(signed)) + " signed events " + strconv.Itoa(int(c.N)) + " are left")
	}
	if err := readAll(dir, c, l); err != nil {
		return err
	}
	if err := grower(dir, l).Grow(t.Context(), uint64(len(l))); err != nil {
		return err
	}
	if _, c, err = dir.Signed(); err != nil {
		return err
	}
	return readAll(dir, c, l)
}

// readAll reads every tile of a checkpoint; each leads to its root.
func readAll(dir tree.Dir, c checkpoint.Checkpoint, l fakeLog) error {
	for at := int64(0); at < c.N; at += 200 {
		p, err := tlog.ProveRecord(c.N, at, dir.Hashes(c.Tree))
		if err == nil {
			err = tlog.CheckRecord(p, c.N, c.Hash, at, tlog.Hash(l[at]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// The process may end at any step: what it leaves goes on.
func TestKilledAtEveryStep(t *testing.T) {
	l := newLog(700)
	for step := 1; ; step++ {
		disk := faultfs.New(t.TempDir())
		dir := tree.Dir(filepath.Join(disk.Root(), "proofs", "G1"))
		grow(t, grower(dir, l), 3, 250)
		g := grower(dir, l)
		g.FS = disk
		disk.CutAfter(step)
		err := g.Grow(t.Context(), 700)
		disk.Close()
		if problem := goesOn(t, dir, l, 250); problem != nil {
			t.Fatalf("killed at step %d: %v", step, problem)
		}
		if err == nil {
			t.Logf("%d steps", step)
			if step < 20 {
				t.Error("these are too few to have been all")
			}
			return
		}
	}
}

var _ durable.FS = (*faultfs.FS)(nil)

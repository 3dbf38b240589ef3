package memory

import "testing"

func TestMemoryIsGivenBackWhenQuiet(t *testing.T) {
	const mb = 1 << 20
	var w watch
	total := uint64(0)
	for i, look := range []struct {
		allocated uint64 // since the look before
		due       bool
	}{
		{12 * mb, false}, // the start
		{1 * mb, false},  // quiet, but nothing worth it
		{100 * mb, false},
		{50 * mb, false}, // busy still
		{1 * mb, true},
		{1 * mb, false}, // given back already
		{3 * mb, false},
		{5 * mb, false},
		{9 * mb, false},
		{0, true},
	} {
		total += look.allocated
		if due := w.due(total); due != look.due {
			t.Errorf("look %d, %d bytes later: %v", i, look.allocated, due)
		}
	}
}

// The limit is above what requests and passwords can take, and above whatever is in
// use, so that a large log does not keep the collector busy.
func TestMemoryLimitLeavesRoom(t *testing.T) {
	const mb = 1 << 20
	for _, inUse := range []int64{50 * mb, 2000 * mb, 20_000 * mb} {
		for _, budget := range []int64{1 * mb, 256 * mb, 4096 * mb} {
			if most := limit(budget, inUse); most < inUse+inUse/2 || most < budget+budget/4 {
				t.Errorf("with a budget of %d MiB and %d MiB in use the limit is %d MiB", budget/mb, inUse/mb, most/mb)
			}
		}
	}
}

// A hub that uses little collects earlier; one with a large log does not make collecting its
// main work.
func TestCollectAt(t *testing.T) {
	for inUse, want := range map[uint64]int{30 << 20: 50, 64<<20 - 1: 50, 64 << 20: 100, 20 << 30: 100} {
		if got := collectAt(inUse); got != want {
			t.Errorf("with %d MiB in use it collects at %d %%, not %d %%", inUse>>20, got, want)
		}
	}
}

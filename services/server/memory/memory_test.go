package memory

import "testing"

func TestMemoryIsGivenBackWhenQuiet(t *testing.T) {
	const mb = 1 << 20
	var w watch
	total := uint64(0)
	for i, look := range []struct {
		allocated uint64 // since the look before
		idle, due bool
	}{
		{12 * mb, false, false}, // the start
		{1 * mb, false, false},  // quiet, but nothing worth it
		{100 * mb, false, false},
		{50 * mb, false, false}, // busy still
		{1 * mb, false, true},
		{1 * mb, false, false}, // given back already
		{3 * mb, false, false},
		{5 * mb, false, false},
		{9 * mb, false, false},
		{0, true, true},
	} {
		total += look.allocated
		if idle, due := w.look(total); idle != look.idle || due != look.due {
			t.Errorf("look %d, %d bytes later: idle %v, due %v", i, look.allocated, idle, due)
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
	for inUse, want := range map[uint64]int{30 << 20: 50, 128<<20 - 1: 50, 128 << 20: 100, 20 << 30: 100} {
		if got := collectAt(inUse); got != want {
			t.Errorf("with %d MiB in use it collects at %d %%, not %d %%", inUse>>20, got, want)
		}
	}
}

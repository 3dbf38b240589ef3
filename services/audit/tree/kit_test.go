package tree_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/services/audit/tree"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A fakeLog has leaves; what is changed in it is another log.
type fakeLog []events.Leaf

func newLog(n int) fakeLog {
	l := make(fakeLog, n)
	for k := range l {
		l[k] = leafOf(k)
	}
	return l
}

func leafOf(k int) events.Leaf { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(k))) }

func (l fakeLog) leaves(_ context.Context, after, to uint64, yield func(events.Leaf) error) error {
	for _, leaf := range l[min(after, uint64(len(l))):min(to, uint64(len(l)))] {
		if err := yield(leaf); err != nil {
			return err
		}
	}
	return nil
}

// root is that of the first n leaves, as x/mod computes it.
func (l fakeLog) root(t testing.TB, n int) tlog.Hash {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(at))
		for k, i := range at {
			list[k] = stored[i]
		}
		return list, nil
	})
	for k := range n {
		more, err := tlog.StoredHashesForRecordHash(int64(k), tlog.Hash(l[k]), read)
		check(t, err)
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(int64(n), read)
	check(t, err)
	return root
}

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func grower(dir tree.Dir, l fakeLog) *tree.Grower {
	return &tree.Grower{Dir: dir, Origin: "hub.test/G1", Leaves: l.leaves,
		Key: func(context.Context) (ed25519.PrivateKey, error) { return key, nil }}
}

func grow(t testing.TB, g *tree.Grower, sizes ...uint64) {
	t.Helper()
	for _, to := range sizes {
		check(t, g.Grow(t.Context(), to))
	}
}

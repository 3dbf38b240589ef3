package bulk

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/projections"
)

func nothing(*events.Event, *projections.Ops) error { return nil }

func TestKeysSortAsTheirValues(t *testing.T) {
	columns := []projections.Column{{Name: "a", Kind: projections.Bytes}, {Name: "b", Kind: projections.Int}, {Name: "c", Kind: projections.Text}, {Name: "d", Kind: projections.Bytes}}
	rng := rand.New(rand.NewPCG(1, 2))
	some := func() []byte {
		b := make([]byte, rng.IntN(5))
		for i := range b {
			b[i] = []byte{0, 1, 0xfe, 0xff}[rng.IntN(4)]
		}
		return b
	}
	ints := []int64{math.MinInt64, -1, 0, 1, 255, 256, math.MaxInt64}
	texts := []string{"", "a", "ab", "b", "ä", "\x01"}
	row := func() []projections.Value {
		return []projections.Value{projections.BytesValue(some()), projections.IntValue(ints[rng.IntN(len(ints))]), projections.TextValue(texts[rng.IntN(len(texts))]), projections.BytesValue(some())}
	}
	compare := func(a, b []projections.Value) int {
		for i := range a {
			if c := cmp.Or(cmp.Compare(a[i].Int(), b[i].Int()), bytes.Compare(a[i].Raw(), b[i].Raw())); c != 0 {
				return c
			}
		}
		return 0
	}
	for range 20_000 {
		a, b := row(), row()
		ka, kb := appendKey(nil, a), appendKey(nil, b)
		if want, got := compare(a, b), bytes.Compare(ka, kb); want != got {
			t.Fatalf("%v and %v compare %d, their keys %d", a, b, want, got)
		}
		if len(ka) < len(kb) && bytes.HasPrefix(kb, ka) {
			t.Fatalf("the key of %v is a prefix of that of %v", a, b)
		}
		if back := readKey(nil, columns, ka); compare(a, back) != 0 {
			t.Fatalf("%v came back as %v", a, back)
		}
		cells := readCells(nil, columns, appendCells(nil, a))
		if compare(a, cells) != 0 || !slices.EqualFunc(a, cells, func(x, y projections.Value) bool { return x.Kind() == y.Kind() }) {
			t.Fatalf("cells %v came back as %v", a, cells)
		}
	}
}

func TestSorterOrdersByKeyAndOrder(t *testing.T) {
	table := &projections.Table{Name: "t", Key: 1, Columns: []projections.Column{{Name: "k", Kind: projections.Bytes}, {Name: "n", Kind: projections.Int}}, Merge: projections.Insert}
	m, err := projections.NewModel(&projections.Projection{Name: "p", Version: 1, Tables: []*projections.Table{table}, Apply: nothing})
	if err != nil {
		t.Fatal(err)
	}
	s := newSorter(m, 1<<20)
	rng := rand.New(rand.NewPCG(3, 4))
	for seq := range 5000 {
		var ops projections.Ops
		k := bytes.Repeat([]byte{byte(rng.IntN(3))}, rng.IntN(40)) // long common prefixes
		ops.Write(table, projections.BytesValue(k), projections.IntValue(1))
		ops.Write(table, projections.BytesValue(k), projections.IntValue(2))
		s.add(uint64(seq), &ops)
	}
	s.sort()
	for i := 1; i < len(s.index[0]); i++ {
		if bytes.Compare(s.key(s.index[0][i-1]), s.key(s.index[0][i])) >= 0 {
			t.Fatalf("record %d is not behind the one before", i)
		}
	}
}

package projections

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// plainly does operations one by one to rows by key, as the contract says.
func plainly(rows map[string][]Value, t *Table, row []Value, del bool) {
	key := fmt.Sprint(row[:t.Key])
	old, there := rows[key]
	switch {
	case del:
		delete(rows, key)
	case !there:
		rows[key] = slices.Clone(row)
	case t.Merge == Put && row[t.Key].n >= old[t.Key].n:
		rows[key] = slices.Clone(row)
	case t.Merge == Add:
		old[t.Key].n += row[t.Key].n
	case t.Merge == Max && row[t.Key].n > old[t.Key].n:
		old[t.Key].n = row[t.Key].n
	}
}

// TestFoldIsTheSameAsOneByOne folds random operations in random batches, and
// once more through sorted runs.
func TestFoldIsTheSameAsOneByOne(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var tables []*Table
	for merge, name := range []string{Insert: "insert", Put: "put", Add: "add", Max: "max"} {
		columns := []Column{{"k", Bytes}, {"seq", Int}}
		if Merge(merge) == Put { // which of two rows with the same seq?
			columns = append(columns, Column{"note", Int})
		}
		tables = append(tables, &Table{Name: name, Key: 1, Merge: Merge(merge), Columns: columns})
	}
	m, err := compile(&Projection{Name: "p", Version: 1, Tables: tables, Apply: nothing})
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string][]Value{}, map[string][]Value{}
	name := func(t int, key string) string { return fmt.Sprint(t, key) }
	sorters := []*sorter{newSorter(m, 1<<20), newSorter(m, 1<<20), newSorter(m, 1<<20)}
	var f folder
	for seq := range 3000 {
		var ops Ops
		for range rng.IntN(8) {
			i, key := rng.IntN(len(tables)), BytesValue([]byte{byte(rng.IntN(4))})
			row := []Value{key, IntValue(rng.Int64N(20) - 10)}
			if tables[i].Merge == Put {
				row = append(row, IntValue(rng.Int64()))
			}
			del := rng.IntN(3) == 0
			if del {
				ops.Delete(tables[i], key)
			} else {
				ops.Write(tables[i], row...)
			}
			own := map[string][]Value{}
			if row, ok := want[name(i, fmt.Sprint([]Value{key}))]; ok {
				own[fmt.Sprint([]Value{key})] = row
			}
			plainly(own, tables[i], row, del)
			delete(want, name(i, fmt.Sprint([]Value{key})))
			for k, row := range own {
				want[name(i, k)] = row
			}
		}
		sorters[rng.IntN(len(sorters))].add(uint64(seq), &ops)
		for _, c := range f.fold(m, &ops) {
			key := name(c.table, fmt.Sprint(c.row[:1]))
			old, there := got[key]
			switch {
			case c.action == remove:
				delete(got, key)
			case c.action == merge && there:
				got[key] = m.tables[c.table].mergeRows(old, slices.Clone(c.row))
			default:
				got[key] = slices.Clone(c.row)
			}
		}
		if fmt.Sprint(want) != fmt.Sprint(got) {
			t.Fatalf("after event %d: folded %v, one by one %v", seq, got, want)
		}
	}
	var runs []*run
	for _, s := range sorters {
		s.sort()
		r, err := s.spill(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		runs = append(runs, r)
	}
	merged := map[string][]Value{}
	for i := range m.tables {
		rows := streamRows(t.Context(), &m.tables[i], i, runs, 64, func(uint64) {})
		for {
			b, err := rows.next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			for n := range b.rows() {
				row := slices.Clone(b.row(n))
				row[0].b = slices.Clone(row[0].b) // the block is used again
				merged[name(i, fmt.Sprint(row[:1]))] = row
			}
		}
	}
	if fmt.Sprint(want) != fmt.Sprint(merged) {
		t.Errorf("merged %v, one by one %v", merged, want)
	}
}

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

// TestFoldIsTheSameAsOneByOne folds random operations in random batches.
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
	m, err := NewModel(&Projection{Name: "p", Version: 1, Tables: tables, Apply: nothing})
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string][]Value{}, map[string][]Value{}
	name := func(t int, key string) string { return fmt.Sprint(t, key) }
	var f foldBuffer
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
		for _, c := range f.fold(m, &ops) {
			key := name(c.Table, fmt.Sprint(c.Row[:1]))
			old, there := got[key]
			switch {
			case c.Action == RemoveRow:
				delete(got, key)
			case c.Action == MergeRow && there:
				got[key] = m.tables[c.Table].mergeRows(old, slices.Clone(c.Row))
			default:
				got[key] = slices.Clone(c.Row)
			}
		}
		if fmt.Sprint(want) != fmt.Sprint(got) {
			t.Fatalf("after event %d: folded %v, one by one %v", seq, got, want)
		}
	}
}

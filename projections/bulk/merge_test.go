package bulk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hubledger/projections"
)

// apply does one operation to rows by key, as the contract of Merge says.
func apply(rows map[string][]projections.Value, t *projections.Table, row []projections.Value, deleted bool) {
	key := fmt.Sprint(t.Name, row[:t.Key])
	old, there := rows[key]
	switch {
	case deleted:
		delete(rows, key)
	case !there:
		rows[key] = slices.Clone(row)
	case t.Merge == projections.Put && row[t.Key].Int() >= old[t.Key].Int():
		rows[key] = slices.Clone(row)
	case t.Merge == projections.Add:
		old[t.Key] = projections.IntValue(old[t.Key].Int() + row[t.Key].Int())
	case t.Merge == projections.Max && row[t.Key].Int() > old[t.Key].Int():
		old[t.Key] = row[t.Key]
	}
}

// TestMergeIsTheSameAsOneByOne sorts random operations into several runs, in
// memory and in files, and compares the rows that the runs merge into with
// those that the operations come to one by one.
func TestMergeIsTheSameAsOneByOne(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var tables []*projections.Table
	for merge, name := range []string{projections.Insert: "insert", projections.Put: "put", projections.Add: "add", projections.Max: "max"} {
		columns := []projections.Column{{Name: "k", Kind: projections.Bytes}, {Name: "seq", Kind: projections.Int}}
		if projections.Merge(merge) == projections.Put { // which of two rows with the same seq?
			columns = append(columns, projections.Column{Name: "note", Kind: projections.Int})
		}
		tables = append(tables, &projections.Table{Name: name, Key: 1, Merge: projections.Merge(merge), Columns: columns})
	}
	m, err := projections.NewModel(&projections.Projection{Name: "p", Version: 1, Tables: tables, Apply: nothing})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]projections.Value{}
	sorters := []*sorter{newSorter(m, 1<<20), newSorter(m, 1<<20), newSorter(m, 1<<20)}
	for seq := range 3000 {
		var ops projections.Ops
		for range rng.IntN(8) {
			table, key := tables[rng.IntN(len(tables))], projections.BytesValue([]byte{byte(rng.IntN(4))})
			row := []projections.Value{key, projections.IntValue(rng.Int64N(20) - 10)}
			if table.Merge == projections.Put {
				row = append(row, projections.IntValue(rng.Int64()))
			}
			deleted := rng.IntN(3) == 0
			if deleted {
				ops.Delete(table, key)
			} else {
				ops.Write(table, row...)
			}
			apply(want, table, row, deleted)
		}
		sorters[rng.IntN(len(sorters))].add(uint64(seq), &ops)
	}
	var runs []*run
	for i, s := range sorters {
		s.sort()
		r := &run{memory: s}
		if i > 0 {
			if r, err = s.spill(t.TempDir()); err != nil {
				t.Fatal(err)
			}
		}
		defer r.close()
		runs = append(runs, r)
	}
	merged := map[string][]projections.Value{}
	for i, table := range m.Tables {
		rows := streamRows(t.Context(), m, i, runs, 64, func(uint64) {})
		for {
			cells, err := rows.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(cells) == 0 {
				break
			}
			for row := range slices.Chunk(cells, len(table.Columns)) {
				row = slices.Clone(row)
				row[0] = projections.BytesValue(slices.Clone(row[0].Raw())) // the block is used again
				merged[fmt.Sprint(table.Name, row[:1])] = row
			}
		}
	}
	if fmt.Sprint(want) != fmt.Sprint(merged) {
		t.Errorf("merged %v, one by one %v", merged, want)
	}
}

package projections

import (
	"bytes"
	"cmp"
	"slices"
)

// A Change is what is left for one row when all operations on its key are
// folded into one.
type Change struct {
	Table  int // its number in Projection.Tables
	Action Action
	Row    []Value // the key only when removed
}

// Action says what a Change does.
type Action uint8

const (
	MergeRow   Action = iota // write by the table's Merge
	ReplaceRow               // write, whatever is there: the row was deleted before
	RemoveRow                // delete
	Actions                  // how many there are
)

// FirstChange is the change that one operation on a row of that table comes to.
func FirstChange(table int, row []Value, deleted bool) Change {
	c := Change{Table: table, Row: row}
	if deleted {
		c.Action = RemoveRow
	}
	return c
}

// Fold adds the next operation on the same key to c.
func (m *Model) Fold(c *Change, row []Value, deleted bool) {
	switch {
	case deleted:
		c.Action, c.Row = RemoveRow, row
	case c.Action == RemoveRow:
		c.Action, c.Row = ReplaceRow, row
	default:
		c.Row = m.tables[c.Table].mergeRows(c.Row, row)
	}
}

// mergeRows is Merge in Go: what old becomes when row is written over it. For
// Add and Max old is changed in place.
func (t *tableInfo) mergeRows(old, row []Value) []Value {
	switch t.Merge {
	case Put:
		if row[t.seq].n >= old[t.seq].n {
			return row
		}
	case Add:
		for i := t.Key; i < len(old); i++ {
			old[i].n += row[i].n
		}
	case Max:
		for i := t.Key; i < len(old); i++ {
			old[i].n = max(old[i].n, row[i].n)
		}
	}
	return old
}

// foldBuffer has the memory in which the operations of one transaction are
// folded. It is used again, so that a single event costs no memory.
type foldBuffer struct {
	entries []foldEntry
	changes []Change
}

// foldEntry is one operation: the number of its table, and its own number.
type foldEntry struct{ table, order int }

// fold returns the changes that ops come to, ordered by table and key. They
// are valid until the next call and share memory with ops.
func (f *foldBuffer) fold(m *Model, ops *Ops) []Change {
	f.entries, f.changes = f.entries[:0], f.changes[:0]
	for i, p := range ops.list {
		f.entries = append(f.entries, foldEntry{m.byTable[p.table], i})
	}
	key := func(e foldEntry) []Value {
		p := ops.list[e.order]
		return ops.values[p.at : p.at+p.table.Key]
	}
	slices.SortFunc(f.entries, func(a, b foldEntry) int {
		if a.table != b.table {
			return cmp.Compare(a.table, b.table)
		}
		if c := compareCells(key(a), key(b)); c != 0 {
			return c
		}
		return cmp.Compare(a.order, b.order)
	})
	for i, e := range f.entries {
		p := ops.list[e.order]
		row := ops.values[p.at:p.to]
		if i > 0 && f.entries[i-1].table == e.table && compareCells(key(f.entries[i-1]), key(e)) == 0 {
			m.Fold(&f.changes[len(f.changes)-1], row, p.del)
			continue
		}
		f.changes = append(f.changes, FirstChange(e.table, row, p.del))
	}
	return f.changes
}

// compareCells orders cells of the same columns as both stores do: integers by
// value, bytes and text by their bytes.
func compareCells(a, b []Value) int {
	for i := range a {
		if c := cmp.Or(cmp.Compare(a[i].n, b[i].n), bytes.Compare(a[i].b, b[i].b)); c != 0 {
			return c
		}
	}
	return 0
}

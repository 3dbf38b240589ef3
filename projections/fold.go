package projections

import (
	"bytes"
	"cmp"
	"slices"
)

// A change is what is left for one row when all operations on its key are
// folded into one.
type change struct {
	table  int
	action action
	row    []Value // the key only when removed
}

type action uint8

const (
	merge   action = iota // write by the table's Merge
	replace               // write, whatever is there: the row was deleted before
	remove                // delete
	actions
)

// fold adds the next operation on the same key to c.
func (t *tableInfo) fold(c *change, row []Value, del bool) {
	switch {
	case del:
		c.action, c.row = remove, row
	case c.action == remove:
		c.action, c.row = replace, row
	default:
		c.row = t.mergeRows(c.row, row)
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

// A folder folds the operations of one transaction. It is reused, so that a
// single event costs no memory.
type folder struct {
	entries []foldEntry
	keys    []byte
	changes []change
}

type foldEntry struct {
	table, order int
	key          []byte
}

// fold returns the changes that ops come to, ordered by table and key. They
// are valid until the next call and share memory with ops.
func (f *folder) fold(m *model, ops *Ops) []change {
	f.entries, f.keys, f.changes = f.entries[:0], f.keys[:0], f.changes[:0]
	for i, p := range ops.list {
		table, at := m.byTable[p.table], len(f.keys)
		f.keys = appendKey(f.keys, ops.values[p.at:p.at+p.table.Key])
		f.entries = append(f.entries, foldEntry{table, i, f.keys[at:len(f.keys):len(f.keys)]})
	}
	slices.SortFunc(f.entries, func(a, b foldEntry) int {
		if a.table != b.table {
			return cmp.Compare(a.table, b.table)
		}
		if c := bytes.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(a.order, b.order)
	})
	for i, e := range f.entries {
		p := ops.list[e.order]
		row := ops.values[p.at:p.to]
		if i > 0 && f.entries[i-1].table == e.table && bytes.Equal(f.entries[i-1].key, e.key) {
			m.tables[e.table].fold(&f.changes[len(f.changes)-1], row, p.del)
			continue
		}
		c := change{table: e.table, row: row}
		if p.del {
			c.action = remove
		}
		f.changes = append(f.changes, c)
	}
	return f.changes
}

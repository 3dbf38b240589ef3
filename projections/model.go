package projections

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"hubledger/events"
)

// maxIndexed bounds the cells of a key or an index in bytes: PostgreSQL takes
// no index entry over a third of a page. Checking it here keeps the stores alike.
const maxIndexed = 2600

// maxAdded bounds what one operation may add, so that no sum overflows 64 bits,
// which the two kinds of store would handle differently.
const maxAdded = 1 << 47

// A Model is a Projection that was checked and prepared for work: runner,
// stores and the bulk load share it. It does not change.
type Model struct {
	*Projection
	tables   []tableInfo
	byTable  map[*Table]int
	families map[string][]string // handled type names by family, nil: all types
	shape    string              // hash of the table definitions
}

type tableInfo struct {
	*Table
	seq     int     // the column that decides a Put, -1 otherwise
	indexed [][]int // column numbers of the key and of each index
}

// NewModel checks a projection. The error says what is wrong with it.
func NewModel(p *Projection) (*Model, error) {
	if p.Name == "" || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz") != "" || p.Version < 1 || p.Apply == nil {
		return nil, fmt.Errorf("projection %q version %d: the name is lower-case letters, versions begin at 1 and Apply is required", p.Name, p.Version)
	}
	m := &Model{Projection: p, byTable: map[*Table]int{}}
	for i, t := range p.Tables {
		info, err := inspect(t)
		if err != nil {
			return nil, fmt.Errorf("projection %s: table %s: %w", p.Name, t.Name, err)
		}
		m.tables = append(m.tables, info)
		m.byTable[t] = i
	}
	for _, s := range p.Searches {
		if err := s.check(p); err != nil {
			return nil, fmt.Errorf("projection %s: search %s: %w", p.Name, s.Table.Name, err)
		}
	}
	if p.Types != nil {
		m.families = map[string][]string{}
	}
	for _, name := range p.Types {
		family, _, err := events.SplitType(name)
		if err != nil {
			return nil, fmt.Errorf("projection %s: %w", p.Name, err)
		}
		m.families[family] = append(m.families[family], name)
	}
	m.shape = shapeOf(p)
	return m, nil
}

// Shape is a hash of the table definitions.
func (m *Model) Shape() string { return m.shape }

// TableNumber is the index in Projection.Tables of a table that is one of them.
func (m *Model) TableNumber(t *Table) int { return m.byTable[t] }

func inspect(t *Table) (tableInfo, error) {
	info := tableInfo{Table: t, seq: -1}
	if t.Name == "" || strings.HasPrefix(t.Name, "_") || t.Key < 1 || t.Key > len(t.Columns) {
		return info, fmt.Errorf("a name without leading underscore and a key of 1 to %d columns are required", len(t.Columns))
	}
	column := func(name string) int {
		return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	}
	switch t.Merge {
	case Put:
		if info.seq = column("seq"); info.seq < 0 || t.Columns[info.seq].Kind != Int {
			return info, fmt.Errorf("Put needs an Int column named seq")
		}
	case Add, Max:
		for _, c := range t.Columns[t.Key:] {
			if c.Kind != Int {
				return info, fmt.Errorf("column %s: Add and Max need Int columns after the key", c.Name)
			}
		}
	}
	key := make([]int, t.Key)
	for i := range key {
		key[i] = i
	}
	info.indexed = append(info.indexed, key)
	for _, index := range t.Indexes {
		var cols []int
		for _, name := range index {
			i := column(name)
			if i < 0 {
				return info, fmt.Errorf("index on unknown column %q", name)
			}
			cols = append(cols, i)
		}
		info.indexed = append(info.indexed, cols)
	}
	return info, nil
}

// shapeOf hashes what the tables look like, so that a change without a new
// version is noticed when the store is opened.
func shapeOf(p *Projection) string {
	h := sha256.New()
	table := func(t *Table) {
		fmt.Fprintf(h, "%s %d %d %q\n", t.Name, t.Key, t.Merge, t.Indexes)
		for _, c := range t.Columns {
			fmt.Fprintf(h, "\t%s %d\n", c.Name, c.Kind)
		}
	}
	for _, t := range p.Tables {
		table(t)
	}
	for _, s := range p.Searches {
		table(s.Table)
		fmt.Fprintf(h, "search %q %q %q %q %q", s.Select, s.By, s.ByIn, s.Trigrams, s.Words)
		for _, t := range s.Sources {
			fmt.Fprintf(h, " %q", t.Name)
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// check says what is wrong with the cells of an operation, nil when a store
// can take them.
func (t *tableInfo) check(row []Value, del bool) error {
	want := len(t.Columns)
	if del {
		want = t.Key
	}
	if len(row) != want {
		return fmt.Errorf("table %s: %d cells, not %d", t.Name, len(row), want)
	}
	for i := range row {
		if row[i].kind != t.Columns[i].Kind {
			return fmt.Errorf("table %s: column %s has a cell of another kind", t.Name, t.Columns[i].Name)
		}
	}
	if t.Merge == Add && !del {
		for _, v := range row[t.Key:] {
			if v.n > maxAdded || v.n < -maxAdded {
				return fmt.Errorf("table %s: %d is too much to add", t.Name, v.n)
			}
		}
	}
	for _, cols := range t.indexed {
		size := 0
		for _, c := range cols {
			if c < len(row) {
				size += len(row[c].b)
			}
		}
		if size > maxIndexed {
			return fmt.Errorf("table %s: %d bytes in a key or index, %d are allowed", t.Name, size, maxIndexed)
		}
	}
	return nil
}

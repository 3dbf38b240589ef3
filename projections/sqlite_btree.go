package projections

import "encoding/binary"

// A treeBuilder makes a table's b-tree out of rows that come in order: pages
// are filled to the brim and never touched again.
//
// A table with a row id has all its rows in the leaves, and above them the
// largest row id of each page. A table without one is what SQLite calls an
// index b-tree: a row that stands between two pages is in the page above them
// and in neither.
type treeBuilder struct {
	pages  *pageWriter
	rowID  bool
	root   uint32
	leaf   node
	above  []*level
	spare  []byte // the cell that did not fit the leaf of an index b-tree
	last   uint64 // row id of the leaf's last cell
	record []byte
	cell   []byte
}

// Kinds of pages.
const (
	interiorIndex = 0x02
	interiorTable = 0x05
	leafIndex     = 0x0a
	leafTable     = 0x0d
)

func newTreeBuilder(pages *pageWriter, root uint32, rowID bool) *treeBuilder {
	t := &treeBuilder{pages: pages, rowID: rowID, root: root}
	kind := byte(leafIndex)
	if rowID {
		kind = leafTable
	}
	t.leaf = newNode(kind, pages.size)
	return t
}

// add takes the next row.
func (t *treeBuilder) add(row []Value) error {
	t.record = appendRecord(t.record[:0], row, t.rowID)
	t.cell = appendVarint(t.cell[:0], uint64(len(t.record)))
	if t.rowID {
		t.cell = appendVarint(t.cell, uint64(row[0].n))
	}
	if err := t.payload(); err != nil {
		return err
	}
	if t.rowID {
		return t.addToTable(uint64(row[0].n))
	}
	return t.addToIndex()
}

func (t *treeBuilder) addToTable(id uint64) error {
	if !t.leaf.fits(len(t.cell)) {
		page, err := t.pages.append(t.leaf.page(0))
		if err != nil {
			return err
		}
		if err := t.up(0, page, appendVarint(nil, t.last)); err != nil {
			return err
		}
		t.leaf.reset()
	}
	t.leaf.add(t.cell)
	t.last = id
	return nil
}

// addToIndex keeps a cell that does not fit aside until the next one comes: no
// leaf may stay empty behind it.
func (t *treeBuilder) addToIndex() error {
	if len(t.spare) == 0 {
		if t.leaf.fits(len(t.cell)) {
			t.leaf.add(t.cell)
		} else {
			t.spare = append(t.spare, t.cell...)
		}
		return nil
	}
	if err := t.split(t.spare); err != nil {
		return err
	}
	t.spare = t.spare[:0]
	t.leaf.add(t.cell)
	return nil
}

// split ends the leaf; the separator goes up.
func (t *treeBuilder) split(separator []byte) error {
	page, err := t.pages.append(t.leaf.page(0))
	if err != nil {
		return err
	}
	t.leaf.reset()
	return t.up(0, page, separator)
}

// finish writes the last page of each level; the topmost is the root.
func (t *treeBuilder) finish() error {
	if len(t.spare) > 0 {
		separator := append([]byte(nil), t.leaf.drop()...)
		if err := t.split(separator); err != nil {
			return err
		}
		t.leaf.add(t.spare)
	}
	content := t.leaf.page(0)
	for i := 0; i < len(t.above); i++ { // finishing a level may add one above
		right, err := t.pages.append(content)
		if err != nil {
			return err
		}
		if content, err = t.finishLevel(i, right); err != nil {
			return err
		}
	}
	return t.pages.replace(t.root, content)
}

// payload appends the record to the cell, what is too long for a page on
// overflow pages (section 1.6).
func (t *treeBuilder) payload() error {
	u := t.pages.size
	most, least := (u-12)*64/255-23, (u-12)*32/255-23
	if t.rowID {
		most = u - 35
	}
	local := len(t.record)
	if local > most {
		if local = least + (len(t.record)-least)%(u-4); local > most {
			local = least
		}
	}
	t.cell = append(t.cell, t.record[:local]...)
	rest := t.record[local:]
	if len(rest) == 0 {
		for len(t.cell) < 4 { // the least that a cell takes
			t.cell = append(t.cell, 0)
		}
		return nil
	}
	t.cell = binary.BigEndian.AppendUint32(t.cell, t.pages.peek())
	page := make([]byte, u)
	for len(rest) > 0 {
		n := copy(page[4:], rest)
		clear(page[4+n:])
		rest = rest[n:]
		var following uint32
		if len(rest) > 0 {
			following = t.pages.after()
		}
		binary.BigEndian.PutUint32(page, following)
		if _, err := t.pages.append(page); err != nil {
			return err
		}
	}
	return nil
}

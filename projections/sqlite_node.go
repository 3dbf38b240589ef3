package projections

import "encoding/binary"

// A node is a b-tree page that is being filled.
type node struct {
	kind  byte
	size  int
	cells []byte
	ends  []int // where each cell ends in cells
	out   []byte
}

func newNode(kind byte, size int) node { return node{kind: kind, size: size, out: make([]byte, size)} }

func (n *node) header() int {
	if n.kind == interiorIndex || n.kind == interiorTable {
		return 12
	}
	return 8
}

func (n *node) fits(cell int) bool {
	return n.header()+2*(len(n.ends)+1)+len(n.cells)+cell <= n.size
}

func (n *node) add(cell []byte) {
	n.cells = append(n.cells, cell...)
	n.ends = append(n.ends, len(n.cells))
}

// drop takes the last cell out again.
func (n *node) drop() []byte {
	last := len(n.ends) - 1
	at := 0
	if last > 0 {
		at = n.ends[last-1]
	}
	cell := n.cells[at:]
	n.cells, n.ends = n.cells[:at], n.ends[:last]
	return cell
}

func (n *node) reset() { n.cells, n.ends = n.cells[:0], n.ends[:0] }

// page is the node as it stands in the file (section 1.6): header, pointers to
// the cells, and the cells at the end. It is valid until the next call.
func (n *node) page(right uint32) []byte {
	p := n.out
	clear(p)
	start := n.size - len(n.cells)
	p[0] = n.kind
	binary.BigEndian.PutUint16(p[3:], uint16(len(n.ends)))
	binary.BigEndian.PutUint16(p[5:], uint16(start))
	if n.header() == 12 {
		binary.BigEndian.PutUint32(p[8:], right)
	}
	at := 0
	for i, end := range n.ends {
		binary.BigEndian.PutUint16(p[n.header()+2*i:], uint16(start+at))
		at = end
	}
	copy(p[start:], n.cells)
	return p
}

// A level is one row of pages above the leaves. Each cell is a page below and
// what separates it from the next; the last page below stands in the header.
// As with the leaves, an entry that does not fit waits until another comes, so
// that no page is left without a cell.
type level struct {
	node
	waiting bool
	child   uint32
	spare   []byte
}

// up adds a finished page to the level above it, with what separates it from
// the next page.
func (t *treeBuilder) up(i int, child uint32, separator []byte) error {
	if i == len(t.above) {
		kind := byte(interiorIndex)
		if t.rowID {
			kind = interiorTable
		}
		t.above = append(t.above, &level{node: newNode(kind, t.pages.size)})
	}
	l := t.above[i]
	if !l.waiting && !l.fits(4+len(separator)) {
		l.waiting, l.child, l.spare = true, child, append(l.spare[:0], separator...)
		return nil
	}
	if l.waiting {
		page, err := t.pages.append(l.page(l.child))
		if err != nil {
			return err
		}
		l.reset()
		l.waiting = false
		if err := t.up(i+1, page, l.spare); err != nil {
			return err
		}
	}
	l.enter(child, separator)
	return nil
}

func (l *level) enter(child uint32, separator []byte) {
	l.cells = binary.BigEndian.AppendUint32(l.cells, child)
	l.add(separator)
}

// finishLevel returns the level's last page, whose last child is right.
func (t *treeBuilder) finishLevel(i int, right uint32) ([]byte, error) {
	l := t.above[i]
	if l.waiting {
		cell := l.drop()
		separator := append([]byte(nil), cell[4:]...)
		page, err := t.pages.append(l.page(binary.BigEndian.Uint32(cell)))
		if err != nil {
			return nil, err
		}
		l.reset()
		if err := t.up(i+1, page, separator); err != nil {
			return nil, err
		}
		l.enter(l.child, l.spare)
	}
	return l.page(right), nil
}

package bulk

import (
	"bytes"

	"hubledger/projections"
)

// A merger reads one table out of many runs, in order, and folds the
// operations on each key into the row they come to.
type merger struct {
	m     *projections.Model
	table int       // its number in the model
	heap  []*cursor // the smallest key first
	key   []byte    // of the row that is being folded
}

func newMerger(m *projections.Model, table int, runs []*run, buffer int) (*merger, error) {
	g := &merger{m: m, table: table}
	for _, r := range runs {
		if r.count(table) == 0 {
			continue
		}
		c := r.cursor(table, buffer)
		if ok, err := c.next(); err != nil {
			return nil, err
		} else if ok {
			g.heap = append(g.heap, c)
		}
	}
	for i := len(g.heap)/2 - 1; i >= 0; i-- {
		g.down(i)
	}
	return g, nil
}

// next appends the next row to b.
func (g *merger) next(b *block) (ok bool, err error) {
	for len(g.heap) > 0 {
		c := g.heap[0]
		own := c.key[:len(c.key)-orderSize]
		g.key = append(g.key[:0], own...)
		start := b.mark()
		var ch projections.Change
		for first := true; len(g.heap) > 0; first = false {
			c := g.heap[0]
			if own := c.key[:len(c.key)-orderSize]; !bytes.Equal(own, g.key) {
				break
			}
			del := c.cells[0] == 1
			row := b.read(g.m.Tables[g.table], c, del)
			if first {
				ch = projections.FirstChange(g.table, row, del)
			} else {
				g.m.Fold(&ch, row, del)
			}
			b.ops++
			if err := g.advance(); err != nil {
				return false, err
			}
		}
		if ch.Action == projections.RemoveRow {
			b.rewind(start)
			continue
		}
		b.keep(start, ch.Row)
		return true, nil
	}
	return false, nil
}

// advance moves the first cursor on and restores the heap.
func (g *merger) advance() error {
	ok, err := g.heap[0].next()
	if err != nil {
		return err
	}
	if !ok {
		last := len(g.heap) - 1
		g.heap[0] = g.heap[last]
		g.heap = g.heap[:last]
	}
	g.down(0)
	return nil
}

func (g *merger) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(g.heap) && bytes.Compare(g.heap[child].key, g.heap[least].key) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		g.heap[i], g.heap[least] = g.heap[least], g.heap[i]
		i = least
	}
}

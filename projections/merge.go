package projections

import (
	"bytes"
	"context"
)

// A merger reads one table out of many runs, in order, and folds the
// operations on each key into the row they come to.
type merger struct {
	t    *tableInfo
	heap []*cursor // the smallest key first
	key  []byte    // of the row that is being folded
}

func newMerger(t *tableInfo, table int, runs []*run, buffer int) (*merger, error) {
	g := &merger{t: t}
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
		var ch change
		for first := true; len(g.heap) > 0; first = false {
			c := g.heap[0]
			if own := c.key[:len(c.key)-orderSize]; !bytes.Equal(own, g.key) {
				break
			}
			del := c.cells[0] == 1
			row := b.read(g.t, c, del)
			switch {
			case !first:
				g.t.fold(&ch, row, del)
			case del:
				ch = change{action: remove, row: row}
			default:
				ch = change{row: row}
			}
			b.ops++
			if err := g.advance(); err != nil {
				return false, err
			}
		}
		if ch.action == remove {
			b.rewind(start)
			continue
		}
		b.keep(start, ch.row)
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

// A block is some rows of one table, with the memory they stand in.
type block struct {
	width  int
	cells  []Value // rows, one behind the other
	arena  []byte
	ops    uint64 // operations that went into it
	failed error
}

const blockSize = 256 << 10 // bytes of rows in a block, about

func (b *block) reset() {
	b.cells, b.arena, b.ops, b.failed = b.cells[:0], b.arena[:0], 0, nil
}

func (b *block) rows() int         { return len(b.cells) / b.width }
func (b *block) row(i int) []Value { return b.cells[i*b.width : (i+1)*b.width : (i+1)*b.width] }
func (b *block) mark() int         { return len(b.cells) }
func (b *block) rewind(start int)  { b.cells = b.cells[:start] }

// read copies a cursor's record into the block and decodes it there.
func (b *block) read(t *tableInfo, c *cursor, del bool) []Value {
	at := len(b.arena)
	b.arena = append(append(b.arena, c.key[:len(c.key)-orderSize]...), c.cells[1:]...)
	record := b.arena[at:]
	start := len(b.cells)
	key := len(c.key) - orderSize
	b.cells = readKey(b.cells, t.Columns[:t.Key], record[:key])
	if !del {
		b.cells = readCells(b.cells, t.Columns[t.Key:], record[key:])
	}
	return b.cells[start:]
}

// keep leaves only row of what was read since start.
func (b *block) keep(start int, row []Value) {
	copy(b.cells[start:], row)
	b.cells = b.cells[:start+len(row)]
}

// A rowStream hands the rows of one table over in blocks, which are merged
// ahead in a goroutine of their own.
type rowStream struct {
	t      *tableInfo
	blocks chan *block
	free   chan *block
	last   *block
	count  func(ops uint64)
}

func streamRows(ctx context.Context, t *tableInfo, table int, runs []*run, buffer int, count func(uint64)) *rowStream {
	const ahead = 3
	s := &rowStream{t: t, blocks: make(chan *block, ahead), free: make(chan *block, ahead), count: count}
	for range ahead {
		s.free <- &block{width: len(t.Columns)}
	}
	go s.fill(ctx, table, runs, buffer)
	return s
}

func (s *rowStream) fill(ctx context.Context, table int, runs []*run, buffer int) {
	defer close(s.blocks)
	g, err := newMerger(s.t, table, runs, buffer)
	for more := true; more; {
		var b *block
		select {
		case b = <-s.free:
		case <-ctx.Done():
			return
		}
		b.reset()
		for more && err == nil && len(b.arena) < blockSize {
			more, err = g.next(b)
		}
		b.failed = err
		more = more && err == nil
		select {
		case s.blocks <- b:
		case <-ctx.Done():
			return
		}
	}
}

// next returns the next rows, nil after the last. They are valid until the
// next call.
func (s *rowStream) next(ctx context.Context) (*block, error) {
	if s.last != nil {
		s.free <- s.last
		s.last = nil
	}
	b, ok := <-s.blocks
	if !ok {
		return nil, ctx.Err()
	}
	s.last = b
	s.count(b.ops)
	return b, b.failed
}

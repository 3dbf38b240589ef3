package projections

import "context"

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

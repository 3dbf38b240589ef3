package bulk

import (
	"context"

	"hubledger/projections"
)

// A block is some rows of one table, with the memory of their cells.
type block struct {
	cells  []projections.Value // of the rows, one row after the other
	arena  []byte
	ops    uint64 // operations that were merged into it
	failed error
}

const blockSize = 256 << 10 // bytes of rows in a block, about

func (b *block) reset() {
	b.cells, b.arena, b.ops, b.failed = b.cells[:0], b.arena[:0], 0, nil
}

func (b *block) mark() int        { return len(b.cells) }
func (b *block) rewind(start int) { b.cells = b.cells[:start] }

// read copies a cursor's record into the block and decodes it there.
func (b *block) read(t *projections.Table, c *cursor, del bool) []projections.Value {
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
func (b *block) keep(start int, row []projections.Value) {
	copy(b.cells[start:], row)
	b.cells = b.cells[:start+len(row)]
}

// A rowStream implements Rows: it merges blocks ahead, in a goroutine of its own.
type rowStream struct {
	m      *projections.Model
	blocks chan *block
	free   chan *block
	last   *block
	count  func(ops uint64)
}

func streamRows(ctx context.Context, m *projections.Model, table int, runs []*run, buffer int, count func(uint64)) *rowStream {
	const ahead = 3
	s := &rowStream{m: m, blocks: make(chan *block, ahead), free: make(chan *block, ahead), count: count}
	for range ahead {
		s.free <- &block{}
	}
	go s.fill(ctx, table, runs, buffer)
	return s
}

func (s *rowStream) fill(ctx context.Context, table int, runs []*run, buffer int) {
	defer close(s.blocks)
	g, err := newMerger(s.m, table, runs, buffer)
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

// Next implements Rows.
func (s *rowStream) Next(ctx context.Context) (cells []projections.Value, err error) {
	for len(cells) == 0 {
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
		if b.failed != nil {
			return nil, b.failed
		}
		cells = b.cells
	}
	return cells, nil
}

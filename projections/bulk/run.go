package bulk

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// A run is a sorted set of operations, in a file or still in memory.
type run struct {
	file     *os.File // removed from its directory: a crash leaves nothing
	sections []section
	memory   *sorter // when file is nil
}

// section is where the records of one table are in the file.
type section struct{ at, size, count int64 }

// spill writes a sorted sorter to a file in dir. Each record follows
// the lengths of its key and of all of it, 4 bytes each.
func (s *sorter) spill(dir string) (_ *run, err error) {
	f, err := os.CreateTemp(dir, ".run-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	r := &run{file: f}
	w := bufio.NewWriterSize(f, 256<<10)
	var at int64
	var head [8]byte
	for _, records := range s.index {
		sec := section{at: at, count: int64(len(records))}
		for _, rec := range records {
			binary.LittleEndian.PutUint32(head[:], rec.key)
			binary.LittleEndian.PutUint32(head[4:], rec.size)
			w.Write(head[:])
			w.Write(s.arena[rec.at : rec.at+rec.size])
			sec.size += int64(len(head)) + int64(rec.size)
		}
		at += sec.size
		r.sections = append(r.sections, sec)
	}
	if err := w.Flush(); err != nil {
		return nil, fmt.Errorf("write a sorted run: %w", err)
	}
	return r, nil
}

func (r *run) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// count is how many operations on a table the run has.
func (r *run) count(table int) int64 {
	if r.file != nil {
		return r.sections[table].count
	}
	return int64(len(r.memory.index[table]))
}

// A cursor reads a run's records of one table.
type cursor struct {
	key    []byte // with sequence and number; valid until next
	cells  []byte // after a byte that says whether the row is deleted
	in     *bufio.Reader
	buf    []byte
	memory *sorter
	rest   []record
}

// cursor begins before the first record; buffer is in bytes.
func (r *run) cursor(table, buffer int) *cursor {
	if r.file == nil {
		return &cursor{memory: r.memory, rest: r.memory.index[table]}
	}
	sec := r.sections[table]
	return &cursor{in: bufio.NewReaderSize(io.NewSectionReader(r.file, sec.at, sec.size), buffer)}
}

// next reads a record; false at the end.
func (c *cursor) next() (bool, error) {
	if c.memory != nil {
		if len(c.rest) == 0 {
			return false, nil
		}
		rec := c.rest[0]
		c.rest = c.rest[1:]
		b := c.memory.arena[rec.at : rec.at+rec.size]
		c.key, c.cells = b[:rec.key], b[rec.key:]
		return true, nil
	}
	var head [8]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		if err == io.EOF {
			return false, nil
		}
		return false, fmt.Errorf("read a sorted run: %w", err)
	}
	key, size := int(binary.LittleEndian.Uint32(head[:])), int(binary.LittleEndian.Uint32(head[4:]))
	if cap(c.buf) < size {
		c.buf = make([]byte, 2*size)
	}
	b := c.buf[:size]
	if _, err := io.ReadFull(c.in, b); err != nil {
		return false, fmt.Errorf("read a sorted run: %w", err)
	}
	c.key, c.cells = b[:key], b[key:]
	return true, nil
}

package bulk

import (
	"bytes"
	"encoding/binary"
	"slices"

	"hubledger/projections"
)

// A sorter collects operations until its memory is full and sorts them into a
// run. An operation is one record in the arena:
//
//	key || sequence (8) || number within the event (4) || deleted (1) || cells
//
// Ordered by the first three parts, the operations on one key follow each
// other as they were applied, whichever worker and run they come from.
type sorter struct {
	m     *projections.Model
	arena []byte
	index [][]record // by table
	count int
}

// record is where one operation stands in the arena.
type record struct {
	prefix uint64 // eight bytes of the key, at the depth that is being sorted
	at     uint32
	key    uint32 // length of key, sequence and number, by which it is ordered
	size   uint32 // length of all of it
}

const (
	recordSize = 24    // bytes of a record in memory
	orderSize  = 8 + 4 // sequence and number
)

func newSorter(m *projections.Model, memory int) *sorter {
	return &sorter{m: m, arena: make([]byte, 0, memory), index: make([][]record, len(m.Tables))}
}

// full says whether the sorter has to be spilled before it may grow any more.
func (s *sorter) full() bool { return len(s.arena)+s.count*recordSize >= cap(s.arena)*7/8 }

// add takes over the operations of one event.
func (s *sorter) add(seq uint64, ops *projections.Ops) {
	number := uint32(0) // within the event
	ops.Each(func(t *projections.Table, row []projections.Value, deleted bool) {
		at := len(s.arena)
		s.arena = appendKey(s.arena, row[:t.Key])
		s.arena = binary.BigEndian.AppendUint64(s.arena, seq)
		s.arena = binary.BigEndian.AppendUint32(s.arena, number)
		key := len(s.arena) - at
		if deleted {
			s.arena = append(s.arena, 1)
		} else {
			s.arena = appendCells(append(s.arena, 0), row[t.Key:])
		}
		table := s.m.TableNumber(t)
		s.index[table] = append(s.index[table], record{at: uint32(at), key: uint32(key), size: uint32(len(s.arena) - at)})
		number++
		s.count++
	})
}

func (s *sorter) reset() {
	s.arena, s.count = s.arena[:0], 0
	for i := range s.index {
		s.index[i] = s.index[i][:0]
	}
}

// sort orders the records of every table.
func (s *sorter) sort() {
	for _, records := range s.index {
		s.sortFrom(records, 0)
	}
}

// sortFrom orders records whose keys are the same up to depth. It compares
// eight bytes at a time, kept in the index, and looks deeper only where those
// are the same: the arena is seldom touched. Keys are never prefixes of each
// other, so that padding a short one with zeros does no harm.
func (s *sorter) sortFrom(records []record, depth uint32) {
	const few = 12
	if len(records) < few {
		slices.SortFunc(records, func(a, b record) int { return bytes.Compare(s.key(a)[depth:], s.key(b)[depth:]) })
		return
	}
	for i := range records {
		r := &records[i]
		r.prefix = prefixAt(s.key(*r)[depth:])
	}
	slices.SortFunc(records, func(a, b record) int {
		switch {
		case a.prefix < b.prefix:
			return -1
		case a.prefix > b.prefix:
			return 1
		}
		return 0
	})
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].prefix == records[0].prefix {
			n++
		}
		if n > 1 {
			s.sortFrom(records[:n], depth+8)
		}
		records = records[n:]
	}
}

func (s *sorter) key(r record) []byte { return s.arena[r.at : r.at+r.key] }

func prefixAt(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

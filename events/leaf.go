package events

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
)

// A Leaf is the hash by which an event is proved and compared.
type Leaf [sha256.Size]byte

// LeafOf hashes what the log says of an event and nothing that a server adds.
//
// It is the RFC 6962 leaf hash, SHA-256(0x00 || record), of the record
//
//	sequence        8 bytes, big-endian
//	subject         length-prefixed
//	event id        length-prefixed
//	attribute count 8 bytes, big-endian
//	  name, value   length-prefixed, sorted by name
//	data            length-prefixed
//
// where a length is 8 bytes, big-endian. The encoding is fixed for ever: every
// proof and every comparison of two copies of a log rests on it.
func LeafOf(e *Event) Leaf {
	h := sha256.New()
	h.Write([]byte{0})
	writeRecord(h, e)
	var l Leaf
	h.Sum(l[:0])
	return l
}

// Record is the record that the leaf of an event hashes; see LeafOf.
func Record(e *Event) []byte {
	b := recordBuffer(make([]byte, 0, len(e.Data)+1024))
	writeRecord(&b, e)
	return b
}

type recordBuffer []byte

func (b *recordBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// writeRecord writes to what never fails.
func writeRecord(w io.Writer, e *Event) {
	var n [8]byte
	num := func(v uint64) {
		binary.BigEndian.PutUint64(n[:], v)
		w.Write(n[:])
	}
	text := func(s string) {
		num(uint64(len(s)))
		io.WriteString(w, s)
	}
	num(e.Seq)
	text(e.Subject)
	text(e.ID())
	num(uint64(len(e.Attributes)))
	for _, a := range e.Attributes {
		text(a.Name)
		text(a.Value)
	}
	num(uint64(len(e.Data)))
	w.Write(e.Data)
}

// ErrRecord: the bytes are not the record of an event.
var ErrRecord = errors.New("these bytes are not the record of an event")

// ReadRecord is the event of a record. Only what Record writes is accepted, so two
// different records are two different events. The error is ErrRecord.
func ReadRecord(record []byte) (Event, error) {
	var e Event
	rest, ok := record, true
	num := func() (v uint64) {
		if ok = ok && len(rest) >= 8; ok {
			v, rest = binary.BigEndian.Uint64(rest), rest[8:]
		}
		return v
	}
	text := func() (b []byte) {
		n := num()
		if ok = ok && n <= uint64(len(rest)); ok {
			b, rest = rest[:n:n], rest[n:]
		}
		return b
	}
	e.Seq, e.Subject = num(), string(text())
	id := string(text())
	for left := num(); ok && left > 0; left-- {
		a := Attribute{string(text()), string(text())}
		if n := len(e.Attributes); n > 0 && a.Name <= e.Attributes[n-1].Name {
			return Event{}, ErrRecord
		}
		e.Attributes = append(e.Attributes, a)
	}
	e.Data = text()
	if !ok || len(rest) > 0 || id != e.ID() {
		return Event{}, ErrRecord
	}
	return e, nil
}

package events

import (
	"crypto/sha256"
	"encoding/binary"
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
	var n [8]byte
	num := func(v uint64) {
		binary.BigEndian.PutUint64(n[:], v)
		h.Write(n[:])
	}
	text := func(s string) {
		num(uint64(len(s)))
		h.Write([]byte(s))
	}
	h.Write([]byte{0})
	num(e.Seq)
	text(e.Subject)
	text(e.ID())
	num(uint64(len(e.Attributes)))
	for _, a := range e.Attributes {
		text(a.Name)
		text(a.Value)
	}
	num(uint64(len(e.Data)))
	h.Write(e.Data)
	var l Leaf
	h.Sum(l[:0])
	return l
}

package events

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
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
//
// Of an event that was redacted it is the leaf that it carries, which is that of what it
// was: see Redact.
func LeafOf(e *Event) Leaf {
	if leaf, ok := e.Redacted(); ok {
		return leaf
	}
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

// Redact takes the data of an event away and leaves its hash and its leaf, so that the
// tree over all leaves stays what it was. From then on the leaf proves that there was an
// event, and not what else it says: the leaf can be computed with the data only.
func Redact(e *Event) Event {
	if _, already := e.Redacted(); already {
		return *e
	}
	leaf := LeafOf(e)
	r := Event{Seq: e.Seq, Subject: e.Subject, Attributes: slices.Clone(e.Attributes)}
	r.Set(AttrRedacted, hex.EncodeToString(leaf[:]))
	r.Data = fmt.Appendf(nil, `{"sha256":"%x","bytes":%d}`, sha256.Sum256(e.Data), len(e.Data))
	return r
}

// LogRedacted says that a restore has taken away what events of the log said: see Redact. It is
// the first event that the restored log has of its own.
type LogRedacted struct {
	Generation string   `json:"generation" jsonschema:"id of the generation of the log whose backup was restored, which still says it"`
	Events     []uint64 `json:"events" jsonschema:"sequences of the events, in order"`
	Reason     string   `json:"reason" jsonschema:"why, as who did it has put it"`
	By         string   `json:"by,omitempty" jsonschema:"who did it, by their own account or by that of the operating system; nobody has checked it"`
}

func (LogRedacted) EventType() string { return "log.redacted.v1" }
func (LogRedacted) Subject() string   { return LogSubject() }

// Redacted is the leaf that an event carries whose data was taken away; false for every
// other event.
func (e *Event) Redacted() (leaf Leaf, ok bool) {
	digits := e.Attr(AttrRedacted)
	if len(digits) != 2*len(leaf) {
		return Leaf{}, false
	}
	_, err := hex.Decode(leaf[:], []byte(digits))
	return leaf, err == nil
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

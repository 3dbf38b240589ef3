package blockfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math"
)

// A block is a sequence of records (filestore.go of nats-server 2.10 and later):
//
//	length   4  little-endian, of the whole record; the top bit says that there is a header
//	sequence 8  the top bits mark what was deleted, which this stream never does
//	time     8
//	subject  2  its length
//	subject, then with a header: its length in 4 bytes and the header; then the data
//	checksum 8  HighwayHash of sequence, time, subject, header and data
const (
	recordHead     = 22
	recordChecksum = 8
	recordLimit    = 32 << 20
	headerBit      = 1 << 31
	deletedBits    = uint64(3) << 62
)

// A Record is one stored message. Its slices point into the bytes of its block
// and are valid only during the call that hands the record over.
type Record struct {
	Seq                   uint64
	Subject, Header, Data []byte
}

// Damage is what is wrong with the records of a stream.
type Damage struct{ what string }

func (d *Damage) Error() string { return d.what }

func damage(format string, v ...any) *Damage { return &Damage{fmt.Sprintf(format, v...)} }

// badRecord is damage at an offset of a block.
type badRecord struct {
	path   string
	offset int
	why    string
}

func (e *badRecord) Error() string { return fmt.Sprintf("%s at byte %d: %s", e.path, e.offset, e.why) }

func isBad(err error) bool {
	var bad *badRecord
	return errors.As(err, &bad)
}

// walk calls fn with the records of a block in order. The error is that of fn
// or a *badRecord; end is where the last good record ends.
func (b Block) walk(buf []byte, fn func(Record) error) (end int, err error) {
	h := b.hash()
	for end < len(buf) {
		r, size, why := parseRecord(buf[end:], h)
		if why != "" {
			return end, &badRecord{b.Path, end, why}
		}
		if err := fn(r); err != nil {
			return end, err
		}
		end += size
	}
	return end, nil
}

// parseRecord reads the record that buf begins with; why says what is wrong with it.
func parseRecord(buf []byte, h hash.Hash) (r Record, size int, why string) {
	if len(buf) < recordHead+recordChecksum {
		return r, 0, "the record ends too early"
	}
	le := binary.LittleEndian
	length := le.Uint32(buf)
	size = int(length &^ headerBit)
	subject := int(le.Uint16(buf[20:]))
	payload := recordHead + subject
	if length&headerBit != 0 {
		payload += 4
	}
	switch {
	case size > recordLimit || size < payload+recordChecksum:
		return r, 0, "the record's length is wrong"
	case size > len(buf):
		return r, 0, "the record ends too early"
	}
	r = Record{Seq: le.Uint64(buf[4:]), Subject: buf[recordHead : recordHead+subject], Data: buf[payload : size-recordChecksum]}
	if length&headerBit != 0 {
		n := le.Uint32(buf[payload-4:])
		if int64(n) > int64(len(r.Data)) {
			return r, 0, "the header's length is wrong"
		}
		r.Header, r.Data = r.Data[:n], r.Data[n:]
	}
	h.Reset()
	h.Write(buf[4:20])
	h.Write(r.Subject)
	h.Write(r.Header)
	h.Write(r.Data)
	if !bytes.Equal(h.Sum(nil), buf[size-recordChecksum:size]) {
		return r, 0, "the checksum does not match"
	}
	if r.Seq&deletedBits != 0 {
		return r, 0, fmt.Sprintf("event %d was deleted", r.Seq&(math.MaxUint64>>2))
	}
	return r, size, ""
}

package bulk

import (
	"bytes"
	"encoding/binary"
	"slices"

	"hubledger/projections"
)

// appendKey encodes a key so that bytes.Compare orders keys as both stores do:
// integers by value, bytes and text by their bytes, a prefix first.
func appendKey(b []byte, key []projections.Value) []byte {
	for i := range key {
		switch v := &key[i]; v.Kind() {
		case projections.Int:
			b = binary.BigEndian.AppendUint64(b, uint64(v.Int())^1<<63)
		case projections.Text: // holds no zero byte
			b = append(append(b, v.Raw()...), 0)
		case projections.Bytes: // 00 is written 00 ff, the end 00 00
			rest := v.Raw()
			for {
				z := bytes.IndexByte(rest, 0)
				if z < 0 {
					break
				}
				b = append(append(b, rest[:z+1]...), 0xff)
				rest = rest[z+1:]
			}
			b = append(append(b, rest...), 0, 0)
		}
	}
	return b
}

// readKey is the inverse of appendKey. The cells share b's memory where they can.
func readKey(row []projections.Value, columns []projections.Column, b []byte) []projections.Value {
	for _, c := range columns {
		switch c.Kind {
		case projections.Int:
			row = append(row, projections.IntValue(int64(binary.BigEndian.Uint64(b)^1<<63)))
			b = b[8:]
		case projections.Text:
			z := bytes.IndexByte(b, 0)
			row = append(row, projections.RawValue(projections.Text, b[:z:z]))
			b = b[z+1:]
		case projections.Bytes:
			var v []byte
			v, b = readBytesKey(b)
			row = append(row, projections.RawValue(projections.Bytes, v))
		}
	}
	return row
}

func readBytesKey(b []byte) (v, rest []byte) {
	z := bytes.IndexByte(b, 0)
	if b[z+1] == 0 {
		return b[:z:z], b[z+2:]
	}
	v = slices.Clone(b[:z+1])
	for b = b[z+2:]; ; b = b[z+2:] {
		z = bytes.IndexByte(b, 0)
		v = append(v, b[:z]...)
		if b[z+1] == 0 {
			return v, b[z+2:]
		}
		v = append(v, 0)
	}
}

// appendCells encodes the cells after the key: integers as varints, the others
// with their length before them.
func appendCells(b []byte, cells []projections.Value) []byte {
	for i := range cells {
		if v := &cells[i]; v.Kind() == projections.Int {
			b = binary.AppendVarint(b, v.Int())
		} else {
			b = append(binary.AppendUvarint(b, uint64(len(v.Raw()))), v.Raw()...)
		}
	}
	return b
}

// readCells is the inverse of appendCells. The cells share b's memory.
func readCells(row []projections.Value, columns []projections.Column, b []byte) []projections.Value {
	for _, c := range columns {
		if c.Kind == projections.Int {
			n, w := binary.Varint(b)
			row = append(row, projections.IntValue(n))
			b = b[w:]
			continue
		}
		n, w := binary.Uvarint(b)
		end := w + int(n)
		row = append(row, projections.RawValue(c.Kind, b[w:end:end]))
		b = b[end:]
	}
	return row
}

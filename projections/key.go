package projections

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// appendKey encodes a key so that bytes.Compare orders keys as both stores do:
// integers by value, bytes and text by their bytes, a prefix first.
func appendKey(b []byte, key []Value) []byte {
	for i := range key {
		switch v := &key[i]; v.kind {
		case Int:
			b = binary.BigEndian.AppendUint64(b, uint64(v.n)^1<<63)
		case Text: // holds no zero byte
			b = append(append(b, v.b...), 0)
		case Bytes: // 00 is written 00 ff, the end 00 00
			rest := v.b
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
func readKey(row []Value, columns []Column, b []byte) []Value {
	for _, c := range columns {
		switch c.Kind {
		case Int:
			row = append(row, IntValue(int64(binary.BigEndian.Uint64(b)^1<<63)))
			b = b[8:]
		case Text:
			z := bytes.IndexByte(b, 0)
			row = append(row, Value{kind: Text, b: b[:z:z]})
			b = b[z+1:]
		case Bytes:
			var v []byte
			v, b = readBytesKey(b)
			row = append(row, Value{kind: Bytes, b: v})
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

// appendCells encodes the cells behind the key: integers as varints, the rest
// with its length in front.
func appendCells(b []byte, cells []Value) []byte {
	for i := range cells {
		if v := &cells[i]; v.kind == Int {
			b = binary.AppendVarint(b, v.n)
		} else {
			b = append(binary.AppendUvarint(b, uint64(len(v.b))), v.b...)
		}
	}
	return b
}

// readCells is the inverse of appendCells. The cells share b's memory.
func readCells(row []Value, columns []Column, b []byte) []Value {
	for _, c := range columns {
		if c.Kind == Int {
			n, w := binary.Varint(b)
			row = append(row, IntValue(n))
			b = b[w:]
			continue
		}
		n, w := binary.Uvarint(b)
		end := w + int(n)
		row = append(row, Value{kind: c.Kind, b: b[w:end:end]})
		b = b[end:]
	}
	return row
}

package projections

import "encoding/binary"

// The rows of a bulk load are written as SQLite's file format has them, in
// pages that are filled one behind the other: https://www.sqlite.org/fileformat2.html.
// SQLite itself makes the file, the tables and the indexes.

// appendRecord encodes a row (section 2.1). A row id stands in front of the
// record and not in it, where its column is NULL.
func appendRecord(b []byte, row []Value, rowID bool) []byte {
	at := len(b)
	b = append(b, 0) // length of the header, mended below when it is long
	for i := range row {
		switch v := &row[i]; {
		case i == 0 && rowID:
			b = append(b, 0)
		case v.kind == Int:
			b = append(b, intType(v.n))
		case v.kind == Bytes:
			b = appendVarint(b, uint64(len(v.b))*2+12)
		default:
			b = appendVarint(b, uint64(len(v.b))*2+13)
		}
	}
	if size := len(b) - at; size < 0x80 {
		b[at] = byte(size)
	} else { // two bytes do for 16,383
		b = append(b, 0)
		copy(b[at+1:], b[at:])
		size++
		b[at], b[at+1] = byte(size>>7)|0x80, byte(size&0x7f)
	}
	for i := range row {
		switch v := &row[i]; {
		case i == 0 && rowID:
		case v.kind == Int:
			b = appendInt(b, v.n)
		default:
			b = append(b, v.b...)
		}
	}
	return b
}

// intType is the serial type of an integer: 8 and 9 are 0 and 1 themselves, 1
// to 6 have 1, 2, 3, 4, 6 and 8 bytes.
func intType(n int64) byte {
	switch {
	case n == 0:
		return 8
	case n == 1:
		return 9
	case n == int64(int8(n)):
		return 1
	case n == int64(int16(n)):
		return 2
	case n<<40>>40 == n:
		return 3
	case n == int64(int32(n)):
		return 4
	case n<<16>>16 == n:
		return 5
	default:
		return 6
	}
}

func appendInt(b []byte, n int64) []byte {
	var full [8]byte
	binary.BigEndian.PutUint64(full[:], uint64(n))
	width := [...]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}[intType(n)]
	return append(b, full[8-width:]...)
}

// appendVarint writes SQLite's variable-length integer: seven bits a byte, the
// high ones first, and all eight of a ninth byte.
func appendVarint(b []byte, n uint64) []byte {
	if n>>56 != 0 {
		for shift := 57; shift >= 8; shift -= 7 {
			b = append(b, byte(n>>shift)|0x80)
		}
		return append(b, byte(n))
	}
	var rev [8]byte
	i := len(rev) - 1
	rev[i] = byte(n & 0x7f)
	for n >>= 7; n > 0; n >>= 7 {
		i--
		rev[i] = byte(n&0x7f) | 0x80
	}
	return append(b, rev[i:]...)
}

package pgstore

import (
	"context"
	"encoding/binary"
	"io"
	"slices"

	"hubledger/projections"
	"hubledger/projections/bulk"
)

// copyReader writes rows in the binary format of COPY.
type copyReader struct {
	ctx   context.Context
	width int // cells of a row
	rows  bulk.Rows
	buf   []byte
	rest  []byte
	state uint8 // 0 header, 1 rows, 2 end
}

func (r *copyReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.state == 2 {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *copyReader) fill() error {
	b := r.buf[:0]
	if r.state == 0 {
		b = append(b, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
		r.state = 1
	}
	cells, err := r.rows.Next(r.ctx)
	if err != nil {
		return err
	}
	if len(cells) == 0 {
		b = binary.BigEndian.AppendUint16(b, 0xffff)
		r.state = 2
	} else {
		for row := range slices.Chunk(cells, r.width) {
			b = appendCopy(b, row)
		}
	}
	r.buf, r.rest = b, b
	return nil
}

func appendCopy(b []byte, row []projections.Value) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(row)))
	for i := range row {
		if v := &row[i]; v.Kind() == projections.Int {
			b = binary.BigEndian.AppendUint32(b, 8)
			b = binary.BigEndian.AppendUint64(b, uint64(v.Int()))
		} else {
			b = binary.BigEndian.AppendUint32(b, uint32(len(v.Raw())))
			b = append(b, v.Raw()...)
		}
	}
	return b
}

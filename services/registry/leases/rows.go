package leases

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// packed is a digest as it stands in the tables, usable as a map's key.
type packed string

func packAll(ds []digest.Digest) ([]packed, error) {
	out := make([]packed, 0, len(ds))
	for _, d := range ds {
		raw, err := pack(d)
		if err != nil {
			return nil, err
		}
		out = append(out, packed(raw))
	}
	// One order for everybody: rows that are written in one order cannot deadlock.
	slices.Sort(out)
	return slices.Compact(out), nil
}

func unpackAll(ps []packed) []digest.Digest {
	out := make([]digest.Digest, len(ps))
	for i, p := range ps {
		out[i] = unpack([]byte(p))
	}
	return out
}

// maxRows bounds the rows of one statement, and so how many statements there
// are to prepare.
const maxRows = 32

func eachChunk(ds []packed, fn func(chunk []packed) error) error {
	for chunk := range slices.Chunk(ds, maxRows) {
		if err := fn(chunk); err != nil {
			return err
		}
	}
	return nil
}

// list is "($from, …)" for n parameters.
func list(from, n int) string {
	var b strings.Builder
	b.WriteByte('(')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	b.WriteByte(')')
	return b.String()
}

// rows is "($1, $3, $2), ($1, $4, $2), …" for n rows that differ in their
// second column.
func rows(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("($1,$")
		b.WriteString(strconv.Itoa(3 + i))
		b.WriteString(",$2)")
	}
	return b.String()
}

// args are the digests of a chunk, after others.
func args(chunk []packed, before ...any) []any {
	for _, d := range chunk {
		before = append(before, []byte(d))
	}
	return before
}

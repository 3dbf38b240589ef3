// Package redact masks secrets in what is told of a build: the secrets themselves,
// and as base64 and in URLs, also when they come in pieces.
package redact

import (
	"cmp"
	"slices"
	"sort"
)

// Mask stands where a secret was.
const Mask = "***"

// prefix is by how many bytes a pattern is found.
const prefix = 4

// A Set is the secrets of a build. Its zero value has none. It may be used by
// several goroutines.
type Set struct {
	filter [1 << 16]bool // by hash of the first bytes of a pattern
	first  [256]bool     // a pattern begins with it
	found  []pattern     // sorted by text
}

// New makes a set. Secrets shorter than MinSecret are left out.
func New(secrets ...[]byte) *Set {
	s := &Set{}
	for _, secret := range secrets {
		s.found = append(s.found, patterns(secret)...)
	}
	slices.SortFunc(s.found, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(a.text, b.text), boolCompare(a.wrapped, b.wrapped))
	})
	s.found = slices.Compact(s.found)
	for _, p := range s.found {
		s.filter[hash(p.text[:prefix])] = true
		s.first[p.text[0]] = true
	}
	return s
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func hash[T string | []byte](b T) uint16 {
	n := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	return uint16(n * 2654435761 >> 16)
}

// with are the patterns that begin with these bytes.
func (s *Set) with(start string) []pattern {
	from := sort.Search(len(s.found), func(k int) bool { return s.found[k].text >= start })
	to := from
	for to < len(s.found) && len(s.found[to].text) >= len(start) && s.found[to].text[:len(start)] == start {
		to++
	}
	return s.found[from:to]
}

// String masks a whole text.
func (s *Set) String(text string) string {
	if len(s.found) == 0 {
		return text
	}
	m := Masker{set: s}
	return string(append(m.Next([]byte(text)), m.End()...))
}

// Stream makes a masker for one stream.
func (s *Set) Stream() *Masker { return &Masker{set: s} }

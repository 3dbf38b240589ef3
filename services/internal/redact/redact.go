// Package redact masks secrets in what is told of builds and containers: the secrets themselves,
// and as base64 and in URLs, also when they come in pieces.
package redact

import "slices"

// Mask stands where a secret was.
const Mask = "***"

// prefix is by how many bytes a pattern is found.
const prefix = 4

// A Set is some secrets. Its zero value has none. It may be used by
// several goroutines.
type Set struct {
	filter  [1 << 16]bool // by hash of the first bytes of a pattern
	first   [256]bool     // a pattern begins with it
	plain   []string      // sorted
	wrapped []string      // sorted; line ends may stand in them, as base64(1) makes them
}

// New makes a set. Secrets shorter than MinSecret are left out.
func New(secrets ...[]byte) *Set {
	s := &Set{}
	for _, secret := range secrets {
		plain, wrapped := patterns(secret)
		s.plain, s.wrapped = append(s.plain, plain...), append(s.wrapped, wrapped...)
	}
	for _, list := range []*[]string{&s.plain, &s.wrapped} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
		for _, p := range *list {
			s.filter[hash(p[:prefix])] = true
			s.first[p[0]] = true
		}
	}
	return s
}

func (s *Set) empty() bool { return len(s.plain) == 0 && len(s.wrapped) == 0 }

func hash[T string | []byte](b T) uint16 {
	n := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	return uint16(n * 2654435761 >> 16)
}

// String masks a whole text.
func (s *Set) String(text string) string {
	if s.empty() {
		return text
	}
	m := Masker{set: s}
	return string(append(m.Next([]byte(text)), m.End()...))
}

// Stream makes a masker for one stream.
func (s *Set) Stream() *Masker { return &Masker{set: s} }

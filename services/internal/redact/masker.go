package redact

import "sort"

// A Masker masks one stream that comes in pieces.
type Masker struct {
	set    *Set
	held   []byte // may be the beginning of a secret
	masked int    // of held, from its start: part of a secret that has a mask already
}

// Next takes the next piece of the stream and returns what can be said by now: all
// but an end that may be the beginning of a secret. Of a text without secrets
// nothing is held back after a line end.
func (m *Masker) Next(data []byte) []byte {
	if m.set.empty() {
		return data
	}
	m.held = append(m.held, data...)
	return m.scan(false)
}

// End returns what is left at the end of the stream.
func (m *Masker) End() []byte {
	if m.set.empty() {
		return nil
	}
	return m.scan(true)
}

// scan masks what is decided. Secrets that overlap get one mask.
func (m *Masker) scan(last bool) (out []byte) {
	b, end := m.held, m.masked // up to end, bytes belong to a secret
	at, plain := 0, 0          // from plain on, bytes are to be copied
	if end > 0 {
		plain = end
	}
	for ; at < len(b); at++ {
		if !m.set.first[b[at]] {
			continue
		}
		n, open := m.set.match(b[at:])
		if open && !last {
			break
		}
		if n == 0 || at+n <= end {
			continue
		}
		if at >= end { // else it overlaps with the one before
			out = append(out, b[plain:at]...)
			out = append(out, Mask...)
		}
		end = at + n
		plain = end
	}
	if plain < at {
		out = append(out, b[plain:at]...)
	}
	m.held = append(m.held[:0], b[at:]...)
	m.masked = max(end-at, 0)
	return out
}

// match is the length of the longest secret that b begins with, 0 for none. open
// says that with more bytes there may be a longer one.
func (s *Set) match(b []byte) (n int, open bool) {
	if len(b) >= prefix && !s.filter[hash(b)] {
		return 0, false
	}
	n, open = longest(s.plain, b, false)
	wrapped, more := longest(s.wrapped, b, true)
	return max(n, wrapped), open || more
}

// longest is match for a sorted list. Its work for a byte of the stream is bounded by
// the length of a pattern, however many there are that begin alike.
func longest(list []string, b []byte, wrapped bool) (n int, open bool) {
	k, ends := 0, 0 // bytes of the patterns in list that are in b; line ends just before
	for at := 0; ; at++ {
		if len(list) > 0 && len(list[0]) == k { // the shortest is the first
			if k > 0 {
				n = at
			}
			list = list[1:]
		}
		if len(list) == 0 || at == len(b) {
			return n, len(list) > 0
		}
		if wrapped && k > 0 && ends < 2 && (b[at] == '\n' || b[at] == '\r') {
			ends++
			continue
		}
		list, ends = narrow(list, k, b[at]), 0
		k++
	}
}

// narrow are the patterns of a sorted list, in which all begin with the same k bytes,
// that go on with a byte.
func narrow(list []string, k int, next byte) []string {
	if list[0][k] == next && list[len(list)-1][k] == next {
		return list
	}
	from := sort.Search(len(list), func(n int) bool { return list[n][k] >= next })
	to := from + sort.Search(len(list)-from, func(n int) bool { return list[from+n][k] > next })
	return list[from:to]
}

package redact

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
	if len(m.set.found) == 0 {
		return data
	}
	m.held = append(m.held, data...)
	return m.scan(false)
}

// End returns what is left at the end of the stream.
func (m *Masker) End() []byte {
	if len(m.set.found) == 0 {
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
	if len(b) < prefix {
		return 0, len(s.with(string(b))) > 0
	}
	if !s.filter[hash(b)] {
		return 0, false
	}
	for _, p := range s.with(string(b[:prefix])) {
		length, more := p.match(b)
		n, open = max(n, length), open || more
	}
	return n, open
}

// match is how many bytes of b the pattern takes, 0 when it is not there; more says
// that b ends before that is decided.
func (p pattern) match(b []byte) (n int, more bool) {
	k, ends := 0, 0
	for n < len(b) && k < len(p.text) {
		switch {
		case b[n] == p.text[k]:
			k, ends = k+1, 0
		case p.wrapped && (b[n] == '\n' || b[n] == '\r') && ends < 2:
			ends++
		default:
			return 0, false
		}
		n++
	}
	if k < len(p.text) {
		return 0, true
	}
	return n, false
}

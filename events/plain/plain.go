// Package plain reads plain JSON fast.
package plain

import "bytes"

// A Reader reads JSON of the plain form that nearly all events and the manifests in them
// have, several times as fast as encoding/json: printable ASCII without escapes, whole
// numbers, and no null. Anything else, also what is not JSON, makes it odd. Whoever
// uses it leaves an odd document to encoding/json, and a document that encoding/json
// would read otherwise must be made odd by them: one with a key that they do not know
// (json ignores case), or a second value where json would merge it into the first.
type Reader struct {
	rest []byte
	odd  bool
}

// New reads a document, which must not change meanwhile.
func New(document []byte) *Reader { return &Reader{rest: document} }

// Odd makes the document odd, which ends every List and Object.
func (p *Reader) Odd() { p.odd = true }

// Done says whether all of the document was read and nothing was odd.
func (p *Reader) Done() bool { return !p.odd && len(bytes.TrimLeft(p.rest, " \t\n\r")) == 0 }

// next says whether the next character that is no space is c, and if so, passes it.
func (p *Reader) next(c byte) bool {
	for i, b := range p.rest {
		switch b {
		case ' ', '\t', '\n', '\r':
			continue
		case c:
			p.rest = p.rest[i+1:]
			return true
		}
		break
	}
	return false
}

func (p *Reader) expect(c byte) {
	if !p.next(c) {
		p.odd = true
	}
}

// Text reads a string; what it returns is a part of the document, without its quotation marks.
func (p *Reader) Text() []byte {
	p.expect('"')
	end := bytes.IndexByte(p.rest, '"')
	if p.odd || end < 0 {
		p.odd = true
		return nil
	}
	text := p.rest[:end]
	for _, b := range text {
		if b < ' ' || b > '~' || b == '\\' {
			p.odd = true
			return nil
		}
	}
	p.rest = p.rest[end+1:]
	return text
}

// Texts reads an object whose values are strings. A value before it makes
// it odd: of two members with one key, json merges the values.
func (p *Reader) Texts(m *map[string]string) {
	if *m != nil {
		p.odd = true
		return
	}
	*m = map[string]string{}
	p.Object(func(key []byte) { (*m)[string(key)] = string(p.Text()) })
}

// Number reads a whole number of at most 18 digits, which fits an int64.
func (p *Reader) Number() (n int64) {
	p.rest = bytes.TrimLeft(p.rest, " \t\n\r")
	digits := 0
	for digits < len(p.rest) && '0' <= p.rest[digits] && p.rest[digits] <= '9' {
		n = 10*n + int64(p.rest[digits]-'0')
		if digits++; digits > 18 {
			break
		}
	}
	if digits == 0 || digits > 18 || p.rest[0] == '0' && digits > 1 {
		p.odd = true
		return 0
	}
	p.rest = p.rest[digits:]
	return n
}

// List calls element where each element of an array begins.
func (p *Reader) List(element func()) {
	if p.expect('['); p.odd || p.next(']') {
		return
	}
	for {
		element()
		if p.odd || p.next(']') {
			return
		}
		p.expect(',')
	}
}

// Object calls member where the value of each member begins, with its key.
func (p *Reader) Object(member func(key []byte)) {
	if p.expect('{'); p.odd || p.next('}') {
		return
	}
	for {
		key := p.Text()
		if p.expect(':'); p.odd {
			return
		}
		if member(key); p.odd || p.next('}') {
			return
		}
		p.expect(',')
	}
}

package images

import "bytes"

// plain reads JSON of the plain form that nearly all manifests have, several times as
// fast as encoding/json: printable ASCII without escapes, whole numbers, and no null.
// Anything else, also what is not JSON, makes it odd, and is left to encoding/json.
type plain struct {
	rest []byte
	odd  bool
}

// next says whether the next character that is no space is c, and if so, passes it.
func (p *plain) next(c byte) bool {
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

func (p *plain) expect(c byte) {
	if !p.next(c) {
		p.odd = true
	}
}

// text reads a string; what it returns is a part of the document.
func (p *plain) text() []byte {
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

// texts reads an object whose values are strings. A value before it makes
// it odd: of two members with one key, json merges the values.
func (p *plain) texts(m *map[string]string) {
	if *m != nil {
		p.odd = true
		return
	}
	*m = map[string]string{}
	p.object(func(key []byte) { (*m)[string(key)] = string(p.text()) })
}

// number reads a whole number of at most 18 digits, which fits an int64.
func (p *plain) number() (n int64) {
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

// list calls element where each element of an array begins.
func (p *plain) list(element func()) {
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

// object calls member where the value of each member begins, with its key.
func (p *plain) object(member func(key []byte)) {
	if p.expect('{'); p.odd || p.next('}') {
		return
	}
	for {
		key := p.text()
		if p.expect(':'); p.odd {
			return
		}
		if member(key); p.odd || p.next('}') {
			return
		}
		p.expect(',')
	}
}

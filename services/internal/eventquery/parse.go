package eventquery

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Error says what is wrong with the text of a query, and where.
type Error struct {
	At      int    // byte of the text, from 0
	Message string // for people
}

func (e *Error) Error() string { return fmt.Sprintf("%s (at character %d)", e.Message, e.At+1) }

func isSpace(r rune) bool { return unicode.IsSpace(r) }

// Parse reads the text of a query. The error is an *Error.
func Parse(text string) (Query, error) {
	if len(text) > MaxLength {
		return Query{}, &Error{MaxLength, fmt.Sprintf("the query is longer than %d bytes", MaxLength)}
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Query{}, &Error{0, "the query is not UTF-8 text without null characters"}
	}
	p := parser{text: text}
	var terms []Term
	for p.skip(); p.at < len(text); p.skip() {
		if len(terms) == MaxTerms {
			return Query{}, &Error{p.at, fmt.Sprintf("the query has more than %d terms", MaxTerms)}
		}
		t, err := p.term()
		if err != nil {
			return Query{}, err
		}
		terms = append(terms, t)
	}
	q := Query{canonical(terms)}
	return q, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) skip() {
	p.at = len(p.text) - len(strings.TrimLeftFunc(p.text[p.at:], isSpace))
}

func (p *parser) term() (t Term, err error) {
	begin := p.at
	if strings.HasPrefix(p.text[p.at:], "-") {
		t.Not = true
		p.at++
	}
	name := p.at
	end := strings.IndexFunc(p.text[p.at:], func(r rune) bool { return r == ':' || r == '"' || isSpace(r) })
	if end < 0 || p.text[p.at+end] != ':' {
		word := p.text[begin:]
		if stop := strings.IndexFunc(word, isSpace); stop >= 0 {
			word = word[:stop]
		}
		return t, &Error{begin, fmt.Sprintf("%.40q is no qualifier with a value, such as actor:alice; there are: %s", word, names())}
	}
	t.Name = strings.ToLower(p.text[p.at : p.at+end])
	if full, ok := short[t.Name]; ok {
		t.Name = full
	}
	k := rank(t.Name)
	if k < 0 {
		return t, &Error{name, fmt.Sprintf("there is no qualifier %.40q; there are: %s", p.text[p.at:p.at+end], names())}
	}
	p.at += end + 1
	value := p.at
	if t.Value, err = p.value(); err != nil {
		return t, err
	}
	if len(t.Value) > maxValue {
		return t, &Error{value, fmt.Sprintf("the value of %s is longer than %d bytes", t.Name, maxValue)}
	}
	if wrong := Qualifiers[k].check(t.Value); wrong != "" {
		return t, &Error{value, wrong}
	}
	if t.Name == "digest" || t.Name == "commit" || t.Name == "correlation" || t.Name == "cause" {
		t.Value = strings.ToLower(t.Value)
	}
	return t, nil
}

// short are other names of qualifiers.
var short = map[string]string{"repository": "repo"}

// value reads a value, which is in quotation marks or ends with a space.
func (p *parser) value() (string, error) {
	rest := p.text[p.at:]
	if !strings.HasPrefix(rest, `"`) {
		end := strings.IndexFunc(rest, isSpace)
		if end < 0 {
			end = len(rest)
		}
		if quoted := strings.IndexByte(rest[:end], '"'); quoted >= 0 {
			return "", &Error{p.at + quoted, `a quotation mark inside a value: put the whole value into quotation marks, and \ before one that belongs to it`}
		}
		p.at += end
		return rest[:end], nil
	}
	var b strings.Builder
	for k := 1; k < len(rest); k++ {
		switch rest[k] {
		case '"':
			p.at += k + 1
			if p.at < len(p.text) {
				if r, _ := utf8.DecodeRuneInString(p.text[p.at:]); !isSpace(r) {
					return "", &Error{p.at, "there has to be a space behind a quotation mark that ends a value"}
				}
			}
			return b.String(), nil
		case '\\':
			if k++; k == len(rest) {
				continue
			}
			fallthrough
		default:
			b.WriteByte(rest[k])
		}
	}
	return "", &Error{p.at, "this quotation mark has no end"}
}

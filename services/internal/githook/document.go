package githook

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"
)

// A value is one value of a JSON text that json.Valid has found valid, without
// space around it; nil where there is none, or null. It is looked through where it
// stands: a body of 25 MiB may have millions of values that nobody asks for, and
// encoding/json would take "Ref" for "ref" and of two members the last one.
type value []byte

// A document reads values, until something is not as it should be.
type document struct{ err error }

func (d *document) fail(format string, args ...any) {
	if d.err == nil {
		d.err = shapeError(format, args...)
	}
}

// fields are the members of an object with these names, in their order. where names
// the object in errors.
func (d *document) fields(object value, where string, names ...string) []value {
	found := make([]value, len(names))
	if object == nil || d.err != nil {
		return found
	}
	if object[0] != '{' {
		d.fail("%s is no object", where)
		return found
	}
	seen := make([]bool, len(names))
	for key, v := range members(object) {
		for k, name := range names {
			if !isKey(key, name) {
				continue
			}
			if seen[k] {
				d.fail("%s has the member %s twice", where, name)
				return make([]value, len(names))
			}
			seen[k] = true
			if !bytes.Equal(v, []byte("null")) {
				found[k] = v
			}
		}
	}
	return found
}

// at is a member of a member, and so on. where names v in errors.
func (d *document) at(v value, where string, path ...string) value {
	for _, name := range path {
		v = d.fields(v, where, name)[0]
		where += "." + name
	}
	return v
}

// text is a string, "" for none; what names it in errors.
func (d *document) text(v value, what string) (s string) {
	switch {
	case v == nil || d.err != nil:
		return ""
	case v[0] != '"':
		d.fail("%s is no string", what)
	case json.Unmarshal(v, &s) != nil || strings.IndexByte(s, 0) >= 0:
		d.fail("%s has a null character", what)
		return ""
	}
	return s
}

// elements are the elements of an array.
func (d *document) elements(array value, what string) iter.Seq[value] {
	return func(yield func(value) bool) {
		if array == nil || d.err != nil {
			return
		}
		if array[0] != '[' {
			d.fail("%s is no array", what)
			return
		}
		for k := skipSpace(array, 1); array[k] != ']'; {
			end := endOf(array, k)
			if !yield(value(array[k:end])) || d.err != nil {
				return
			}
			k = skipComma(array, end)
		}
	}
}

// members are the keys, with their quotation marks, and values of an object.
func members(object value) iter.Seq2[value, value] {
	return func(yield func(key, v value) bool) {
		for k := skipSpace(object, 1); object[k] != '}'; {
			end := endOf(object, k)
			key := object[k:end]
			k = skipSpace(object, skipSpace(object, end)+1) // behind the colon
			end = endOf(object, k)
			if !yield(key, object[k:end]) {
				return
			}
			k = skipComma(object, end)
		}
	}
}

// maxEscaped is how long a key can be in which every character of a name is escaped.
const maxEscaped = 6*40 + 2

func isKey(key value, name string) bool {
	if len(key) == len(name)+2 && string(key[1:len(key)-1]) == name {
		return true
	}
	var plain string
	return len(key) <= maxEscaped && bytes.IndexByte(key, '\\') >= 0 && json.Unmarshal(key, &plain) == nil && plain == name
}

func skipSpace(text value, k int) int {
	for text[k] == ' ' || text[k] == '\t' || text[k] == '\n' || text[k] == '\r' {
		k++
	}
	return k
}

func skipComma(text value, k int) int {
	if k = skipSpace(text, k); text[k] == ',' {
		k = skipSpace(text, k+1)
	}
	return k
}

// endOf is the index behind the value that begins at k.
func endOf(text value, k int) int {
	switch text[k] {
	case '"':
		return endOfString(text, k)
	case '{', '[':
		for depth := 0; ; {
			switch text[k] {
			case '"':
				k = endOfString(text, k)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return k + 1
				}
			}
			k++
		}
	}
	for k < len(text) && !strings.ContainsRune(",]} \t\n\r", rune(text[k])) {
		k++
	}
	return k
}

func endOfString(text value, k int) int {
	for k++; text[k] != '"'; k++ {
		if text[k] == '\\' {
			k++
		}
	}
	return k + 1
}

package projections

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Value is one cell. Make it by IntValue, BytesValue or TextValue.
type Value struct {
	kind Kind
	n    int64
	b    []byte
}

func IntValue(n int64) Value { return Value{kind: Int, n: n} }

// BytesValue keeps b; the caller must not change it afterwards.
func BytesValue(b []byte) Value { return Value{kind: Bytes, b: b} }

// TextValue makes s acceptable to every store: U+0000, which PostgreSQL
// refuses, and bytes that are not UTF-8 become U+FFFD.
func TextValue(s string) Value {
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
	}
	return Value{kind: Text, b: []byte(s)}
}

// Kind is the type of the column that the cell is for.
func (v Value) Kind() Kind { return v.kind }

// Int, Bytes and Text read a cell; each is zero for a cell of another kind.
func (v Value) Int() int64 { return v.n }

func (v Value) Bytes() []byte {
	if v.kind == Bytes {
		return v.b
	}
	return nil
}

func (v Value) Text() string {
	if v.kind == Text {
		return string(v.b)
	}
	return ""
}

// Raw has the bytes of a cell of Bytes or Text, which must not be changed.
func (v Value) Raw() []byte { return v.b }

// RawValue is the cell of that kind, Bytes or Text, whose Raw is b.
func RawValue(kind Kind, b []byte) Value { return Value{kind: kind, b: b} }

// String is for messages and tests: 12, x'00ff' or "text".
func (v Value) String() string {
	switch v.kind {
	case Int:
		return fmt.Sprint(v.n)
	case Bytes:
		return fmt.Sprintf("x'%x'", v.b)
	default:
		return fmt.Sprintf("%q", v.b)
	}
}

// Ops collects the row operations of events in the order in which they were
// applied.
type Ops struct {
	list   []op
	values []Value
}

type op struct {
	table  *Table
	at, to int  // the cells in values: a row, or the key only when deleted
	del    bool // take the row away
}

// Write puts a row in; the table's Merge says what happens to one of the same key.
func (o *Ops) Write(t *Table, row ...Value) { o.add(t, row, false) }

// Delete takes the row of that key away, if it is there. The events that write
// and delete one key must be of one aggregate: nothing else orders them.
func (o *Ops) Delete(t *Table, key ...Value) { o.add(t, key, true) }

func (o *Ops) add(t *Table, row []Value, del bool) {
	at := len(o.values)
	o.values = append(o.values, row...)
	o.list = append(o.list, op{t, at, len(o.values), del})
}

// Each calls fn with every operation in order; row is the key only when the
// row is deleted. It is for the bulk load and for tests of an Apply.
func (o *Ops) Each(fn func(t *Table, row []Value, deleted bool)) {
	for _, p := range o.list {
		fn(p.table, o.values[p.at:p.to], p.del)
	}
}

// Reset forgets all operations and keeps their memory for the next ones.
func (o *Ops) Reset() {
	clear(o.values)
	o.list, o.values = o.list[:0], o.values[:0]
}

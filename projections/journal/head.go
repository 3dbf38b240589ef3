package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections"
)

// The head of an event is its attributes in their order, each as one byte,
// form | number of the name, and then what the form says. The number is the
// index in attributeNames; 15 is any other name, which follows with its length.
const (
	formText   = 0x00 // length and bytes
	formUUID   = 0x10 // 16 bytes
	formUsual  = 0x20 // nothing: the value is the one in usualValues
	formColumn = 0x30 // nothing: the value stands in a column of its own
	formTime   = 0x40 // nothing: the column time, written in events.TimeLayout
	formRaw    = 0x50 // the subject, length and bytes, when its column differs

	otherName = 0x0f
)

var attributeNames = []string{events.AttrActor, events.AttrCause, events.AttrCorrelation, events.AttrContentType,
	events.AttrID, events.AttrSource, events.AttrSpecVersion, events.AttrTime, events.AttrType}

var usualValues = map[string]string{events.AttrSpecVersion: "1.0", events.AttrContentType: "application/json", events.AttrSource: "/registry"}

var errHead = errors.New("the journal's head of an event is damaged")

func appendHead(b []byte, e *events.Event) []byte {
	seen := map[string]bool{}
	for _, a := range e.Attributes {
		n := slices.Index(attributeNames, a.Name)
		if n < 0 {
			n = otherName
		}
		form, id := formText, uuid.UUID{}
		switch {
		case n == otherName || seen[a.Name]: // a column has the first value only
		case usualValues[a.Name] == a.Value && a.Value != "":
			form = formUsual
		case a.Name == events.AttrTime && isTime(a.Value):
			form = formTime
		case (a.Name == events.AttrType || a.Name == events.AttrActor) && projections.TextValue(a.Value).Text() == a.Value:
			form = formColumn
		default:
			if parsed, ok := parseUUID(a.Value); ok {
				if form, id = formUUID, parsed; a.Name == events.AttrCorrelation {
					form = formColumn
				}
			}
		}
		seen[a.Name] = true
		b = append(b, byte(form|n))
		if n == otherName {
			b = appendText(b, a.Name)
		}
		switch form {
		case formText:
			b = appendText(b, a.Value)
		case formUUID:
			b = append(b, id[:]...)
		}
	}
	if projections.TextValue(e.Subject).Text() != e.Subject {
		b = appendText(append(b, formRaw), e.Subject)
	}
	return b
}

// columns are the cells of a row that a head refers to.
type columns struct {
	subject, kind, actor string
	correlation          []byte
	time                 int64
}

// are says whether the columns are those that apply writes for an event.
func (c columns) are(e *events.Event) bool {
	text := func(s string) string { return projections.TextValue(s).Text() }
	return c.subject == text(e.Subject) && c.kind == text(e.Type()) && c.actor == text(e.Actor()) &&
		c.time == timeOf(e) && bytes.Equal(c.correlation, correlationKey(e.Correlation()))
}

// readHead puts subject and attributes into e.
func readHead(b []byte, c columns, e *events.Event) error {
	e.Subject = c.subject
	e.Attributes = make([]events.Attribute, 0, len(attributeNames))
	for len(b) > 0 {
		form, n := b[0]&0xf0, int(b[0]&0x0f)
		b = b[1:]
		var a events.Attribute
		ok := true
		switch {
		case form == formRaw:
			if e.Subject, b, ok = readText(b); !ok {
				return errHead
			}
			continue
		case n == otherName:
			a.Name, b, ok = readText(b)
		case n < len(attributeNames):
			a.Name = attributeNames[n]
		default:
			ok = false
		}
		if ok {
			switch form {
			case formText:
				a.Value, b, ok = readText(b)
			case formUUID:
				if ok = len(b) >= 16; ok {
					a.Value, b = uuid.UUID(b[:16]).String(), b[16:]
				}
			case formUsual:
				a.Value = usualValues[a.Name]
			case formTime:
				a.Value = time.UnixMicro(c.time).UTC().Format(events.TimeLayout)
			case formColumn:
				a.Value, ok = c.value(a.Name)
			default:
				ok = false
			}
		}
		if !ok {
			return errHead
		}
		e.Attributes = append(e.Attributes, a)
	}
	return nil
}

func (c columns) value(name string) (string, bool) {
	switch name {
	case events.AttrType:
		return c.kind, true
	case events.AttrActor:
		return c.actor, true
	}
	if name == events.AttrCorrelation && len(c.correlation) == 17 {
		return uuid.UUID(c.correlation[1:]).String(), true
	}
	return "", false
}

// correlationKey is a correlation as its column holds it: 1 and the 16 bytes of
// a UUID, or 0 and any other text; empty when there is none.
func correlationKey(correlation string) []byte {
	if correlation == "" {
		return []byte{}
	}
	if id, ok := parseUUID(correlation); ok {
		return append([]byte{1}, id[:]...)
	}
	// A longer text would not fit into an index; it is found by its beginning.
	return append([]byte{0}, correlation[:min(len(correlation), 512)]...)
}

// parseUUID accepts only the spelling that UUID.String returns.
func parseUUID(s string) (uuid.UUID, bool) {
	if len(s) != 36 {
		return uuid.UUID{}, false
	}
	id, err := uuid.Parse(s)
	return id, err == nil && id.String() == s
}

func isTime(s string) bool {
	t, err := time.Parse(events.TimeLayout, s)
	return err == nil && !t.IsZero() && t.UTC().Format(events.TimeLayout) == s && time.UnixMicro(t.UnixMicro()).Equal(t)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func readText(b []byte) (s string, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return "", nil, false
	}
	return string(b[w : w+int(n)]), b[w+int(n):], true
}

package evt

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams/blockfile"
)

// attributePrefix begins the headers that are an event's attributes. All
// others belong to NATS and are no part of the event.
const attributePrefix = "ce-"

// NewMessage turns an event into the message that holds it. The error says why
// the event would not be read back as it was written.
func NewMessage(e *events.Event) (*nats.Msg, error) {
	if err := checkEvent(e); err != nil {
		return nil, err
	}
	h := make(nats.Header, len(e.Attributes)+3)
	for _, a := range e.Attributes { // not by Set, which changes the case of names
		h[a.Name] = []string{a.Value}
	}
	h[jetstream.MsgIDHeader] = []string{e.ID()}
	return &nats.Msg{Subject: e.Subject, Header: h, Data: e.Data}, nil
}

// checkEvent refuses what could not be read back as it was written.
func checkEvent(e *events.Event) error {
	bad := func(format string, v ...any) error {
		return fmt.Errorf("event %s cannot be appended: %s", e.Type(), fmt.Sprintf(format, v...))
	}
	if len(e.Data) > events.MaxDataSize {
		return bad("%d bytes of data, %d are allowed", len(e.Data), events.MaxDataSize)
	}
	if !ValidSubject(e.Subject) {
		return bad("subject %q", e.Subject)
	}
	if e.ID() == "" {
		return bad("it has no %s", events.AttrID)
	}
	for i, a := range e.Attributes {
		if !strings.HasPrefix(a.Name, attributePrefix) || strings.ContainsFunc(a.Name, notNameRune) {
			return bad("attribute name %q", a.Name)
		}
		if i > 0 && a.Name <= e.Attributes[i-1].Name {
			return bad("attribute %s is out of order", a.Name)
		}
		if strings.ContainsFunc(a.Value, notValueRune) || a.Value != strings.TrimSpace(a.Value) {
			return bad("%s %q is not plain printable ASCII", a.Name, a.Value)
		}
	}
	return nil
}

func notNameRune(r rune) bool {
	return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
}

func notValueRune(r rune) bool { return r < ' ' || r > '~' }

// ValidSubject accepts evt.<a>.<b>.<c>: no wildcards, no empty tokens, nothing
// that a server would split or refuse.
func ValidSubject(s string) bool {
	rest, ok := strings.CutPrefix(s, events.SubjectPrefix)
	if !ok || len(s) > 512 {
		return false
	}
	for token := range strings.SplitSeq(rest, ".") {
		if token == "" || strings.ContainsFunc(token, notSubjectRune) {
			return false
		}
	}
	return true
}

func notSubjectRune(r rune) bool { return r <= ' ' || r > '~' || r == '*' || r == '>' }

// FromMessage is the inverse of NewMessage.
func FromMessage(seq uint64, subject string, h nats.Header, data []byte) events.Event {
	e := events.Event{Seq: seq, Subject: subject, Data: data, Attributes: make([]events.Attribute, 0, len(h))}
	for name, values := range h {
		if strings.HasPrefix(name, attributePrefix) && len(values) > 0 {
			e.Attributes = append(e.Attributes, events.Attribute{Name: name, Value: values[0]})
		}
	}
	sortAttributes(e.Attributes)
	return e
}

// FromRecord is the event that a stored message holds. One that is not ours
// has no attributes, which events.Event.Check finds.
func FromRecord(r blockfile.Record) events.Event {
	e := events.Event{Seq: r.Seq, Subject: string(r.Subject), Data: bytes.Clone(r.Data), Attributes: make([]events.Attribute, 0, 9)}
	for line := range strings.SplitSeq(string(r.Header), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if strings.HasPrefix(name, attributePrefix) {
			e.Attributes = append(e.Attributes, events.Attribute{Name: name, Value: strings.TrimLeft(value, " \t")})
		}
	}
	sortAttributes(e.Attributes)
	return e
}

func sortAttributes(list []events.Attribute) {
	slices.SortFunc(list, func(a, b events.Attribute) int { return cmp.Compare(a.Name, b.Name) })
}

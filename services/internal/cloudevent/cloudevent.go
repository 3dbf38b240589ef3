// Package cloudevent writes events of the log as CloudEvents 1.0 in the structured mode of
// the JSON format, each on a line, and reads such lines.
package cloudevent

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"hubledger/events"
)

// MediaType is that of one event, and BatchType that of a JSON array of them.
const (
	MediaType = "application/cloudevents+json"
	BatchType = "application/cloudevents-batch+json"
)

// Members of the JSON object that are no attributes of the envelope of the log. The sequence
// is a text of digits, as the CloudEvents extension of that name has it.
const (
	memberSubject  = "subject"
	memberSequence = "sequence"
	memberData     = "data"
	memberBase64   = "data_base64"
)

const prefix = "ce-"

// Append appends an event to b as one line without its end. Data that is JSON stands in it
// byte for byte, so that an event that is read back has the leaf that it had; other data is
// in base64. An envelope that JSON cannot carry is an error: no service writes such.
func Append(b []byte, e *events.Event) ([]byte, error) {
	b = append(b, '{')
	for k, a := range e.Attributes {
		name, ok := strings.CutPrefix(a.Name, prefix)
		if !ok || name == memberSubject || name == memberSequence || name == memberData || name == memberBase64 || !utf8.ValidString(a.Value) ||
			k > 0 && e.Attributes[k-1].Name == a.Name {
			return nil, fmt.Errorf("event %d cannot be written as a CloudEvent: its attribute %.100q is not one of CloudEvents", e.Seq, a.Name)
		}
		b = append(appendText(append(appendText(b, name), ':'), a.Value), ',')
	}
	if !utf8.ValidString(e.Subject) {
		return nil, fmt.Errorf("event %d cannot be written as a CloudEvent: its subject is not text", e.Seq)
	}
	b = append(appendText(append(b, `"subject":`...), e.Subject), `,"sequence":"`...)
	b = append(strconv.AppendUint(b, e.Seq, 10), '"')
	switch {
	case len(e.Data) == 0:
	case onOneLine(e.Data):
		b = append(append(b, `,"data":`...), e.Data...)
	default:
		b = append(base64.StdEncoding.AppendEncode(append(b, `,"data_base64":"`...), e.Data), '"')
	}
	return append(b, '}'), nil
}

// onOneLine says whether data is JSON that comes back as it is from a line of JSON.
func onOneLine(data []byte) bool {
	first, last := data[0], data[len(data)-1]
	return first > ' ' && last > ' ' && bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 && utf8.Valid(data) && json.Valid(data)
}

// appendText appends a text as JSON. Most texts of an envelope need no escape.
func appendText(b []byte, s string) []byte {
	for k := range len(s) {
		if c := s[k]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil { // which a string has not
				panic(err)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// MaxLine bounds a line, in bytes: the data of an event in base64, and its envelope.
const MaxLine = 12 << 20

var errSequence = errors.New(`it has no "sequence", which is a text of digits`)

// Parse reads a line that Append has written. Spaces between members do no harm.
func Parse(text []byte) (events.Event, error) {
	var e events.Event
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return e, fmt.Errorf("this is no CloudEvent in JSON: %w", err)
	}
	e.Data = members[memberData]
	delete(members, memberData)
	for name, raw := range members {
		var value string
		if err := json.Unmarshal(raw, &value); err != nil {
			return e, fmt.Errorf("its member %.100q is not a text", name)
		}
		switch name {
		case memberSubject:
			e.Subject = value
		case memberSequence:
			seq, err := strconv.ParseUint(value, 10, 53)
			if err != nil || seq == 0 {
				return e, errSequence
			}
			e.Seq = seq
		case memberBase64:
			data, err := base64.StdEncoding.DecodeString(value)
			if err != nil || e.Data != nil {
				return e, errors.New("its data_base64 is no base64, or it has data as well")
			}
			e.Data = data
		default:
			e.Set(prefix+name, value)
		}
	}
	if e.Seq == 0 {
		return e, errSequence
	}
	return e, e.Check()
}

// Package events holds the facts of the log: what each type of event says, its
// subject, and the envelope that carries it. It is data only; how
// events are stored is the business of package streams.
package events

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Names of the CloudEvents attributes that an event carries. In the log they
// are message headers of the same name (CloudEvents 1.0, binary mode).
const (
	AttrSpecVersion = "ce-specversion"     // always "1.0"
	AttrID          = "ce-id"              // UUID; also the message id of the append
	AttrSource      = "ce-source"          // the service that decided, such as "/registry"
	AttrType        = "ce-type"            // such as "image.pushed.v1"
	AttrTime        = "ce-time"            // log time, set by Append: RFC 3339, UTC, microseconds
	AttrContentType = "ce-datacontenttype" // always "application/json"
	AttrActor       = "ce-actor"           // who did it, such as "anonymous" or "system"
	AttrCause       = "ce-cause"           // id of the event that led to this one
	AttrCorrelation = "ce-correlation"     // id of the first event of the chain
	AttrRedacted    = "ce-redacted"        // the leaf, in hexadecimal digits, of an event whose data was taken away
)

// TimeLayout is how ce-time is written. It has a fixed width so that texts
// sort as times do.
const TimeLayout = "2006-01-02T15:04:05.000000Z"

// MaxDataSize bounds an event's data in bytes: a manifest of 4 MiB in base64
// and the rest stay below it, and a message of 8 MiB holds it with its headers.
const MaxDataSize = 7 << 20

// An Attribute is one ce-* header.
type Attribute struct{ Name, Value string }

// An Event is one entry of the log.
type Event struct {
	Seq        uint64      // position in the log, from 1; 0 before the append
	Subject    string      // the aggregate's subject
	Attributes []Attribute // every ce-* header, sorted by name
	Data       []byte      // JSON, as appended
	// Last is the sequence of the subject's last event where a look-up of that has passed over
	// later ones that were redacted, as streams.Log.Last does; 0 otherwise.
	Last uint64
}

// Expect is what an append expects that is to follow an event which was looked up as the
// last one of its subject.
func (e *Event) Expect() uint64 { return max(e.Seq, e.Last) }

// Attr returns the value of an attribute, "" when it is absent.
func (e *Event) Attr(name string) string {
	for i := range e.Attributes {
		if e.Attributes[i].Name == name {
			return e.Attributes[i].Value
		}
	}
	return ""
}

// Set adds or replaces an attribute and keeps them sorted.
func (e *Event) Set(name, value string) {
	i, found := slices.BinarySearchFunc(e.Attributes, name, func(a Attribute, n string) int { return cmp.Compare(a.Name, n) })
	if found {
		e.Attributes[i].Value = value
		return
	}
	e.Attributes = slices.Insert(e.Attributes, i, Attribute{name, value})
}

// The envelope's attributes, "" when they are absent.
func (e *Event) ID() string          { return e.Attr(AttrID) }
func (e *Event) Type() string        { return e.Attr(AttrType) }
func (e *Event) Source() string      { return e.Attr(AttrSource) }
func (e *Event) Actor() string       { return e.Attr(AttrActor) }
func (e *Event) Cause() string       { return e.Attr(AttrCause) }
func (e *Event) Correlation() string { return e.Attr(AttrCorrelation) }

// Time is the log time; the zero time when the attribute is absent or bad.
func (e *Event) Time() time.Time {
	t, err := time.Parse(TimeLayout, e.Attr(AttrTime))
	if err != nil {
		return time.Time{}
	}
	return t
}

// SplitType returns the family and the version of a type: "image.pushed.v1" is version 1 of "image.pushed".
func SplitType(name string) (family string, version int, err error) {
	i := strings.LastIndex(name, ".v")
	if i > 0 {
		if version, err = strconv.Atoi(name[i+2:]); err == nil && version > 0 {
			return name[:i], version, nil
		}
	}
	return "", 0, fmt.Errorf("event type %q is not <aggregate>.<fact>.v<N>", name)
}

// Check says what is wrong with an envelope read from the log, nil when it is
// one of ours: the required attributes are there and the type has a version.
func (e *Event) Check() error {
	if v := e.Attr(AttrSpecVersion); v != "1.0" {
		return fmt.Errorf("event %d on %s: ce-specversion is %q, not 1.0", e.Seq, e.Subject, v)
	}
	for _, name := range []string{AttrID, AttrSource, AttrType, AttrTime} {
		if e.Attr(name) == "" {
			return fmt.Errorf("event %d on %s: no %s", e.Seq, e.Subject, name)
		}
	}
	if e.Time().IsZero() {
		return fmt.Errorf("event %d on %s: ce-time %q is not %s", e.Seq, e.Subject, e.Attr(AttrTime), TimeLayout)
	}
	if _, redacted := e.Redacted(); !redacted && e.Attr(AttrRedacted) != "" {
		return fmt.Errorf("event %d on %s: %s is not the hexadecimal digits of a leaf", e.Seq, e.Subject, AttrRedacted)
	}
	_, _, err := SplitType(e.Type())
	return err
}

// A Payload is what one type of event says: a struct of this package.
type Payload interface {
	// EventType is the versioned type name.
	EventType() string
	// Subject names the aggregate the event belongs to.
	Subject() string
}

// Meta is what a command knows beside the fact itself.
type Meta struct {
	ID          string // UUID, required; derived from the cause by process managers
	Source      string // the deciding service, required
	Actor       string // who asked
	Cause       string // id of the event that led here, "" for none
	Correlation string // id of the chain's first event, "" when this is it
}

// New makes an event that is ready to be appended; Append sets its time.
func New(p Payload, m Meta) (Event, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return Event{}, fmt.Errorf("encode %s: %w", p.EventType(), err)
	}
	if len(data) > MaxDataSize {
		return Event{}, fmt.Errorf("%s has %d bytes of data, %d are allowed", p.EventType(), len(data), MaxDataSize)
	}
	e := Event{Subject: p.Subject(), Data: data, Attributes: make([]Attribute, 0, 9)}
	if m.Correlation == "" {
		m.Correlation = m.ID
	}
	e.Attributes = append(e.Attributes, Attribute{AttrActor, m.Actor})
	if m.Cause != "" {
		e.Attributes = append(e.Attributes, Attribute{AttrCause, m.Cause})
	}
	e.Attributes = append(e.Attributes,
		Attribute{AttrCorrelation, m.Correlation},
		Attribute{AttrContentType, "application/json"},
		Attribute{AttrID, m.ID},
		Attribute{AttrSource, m.Source},
		Attribute{AttrSpecVersion, "1.0"},
		Attribute{AttrType, p.EventType()})
	return e, nil
}

// What an append can be refused with. Streams returns them, services match
// them with errors.Is.
var (
	// ErrConflict: the aggregate has moved on since the expected sequence was read.
	ErrConflict = errors.New("the aggregate was changed by someone else at the same time")
	// ErrReadOnly: the log guard has found the log or the disk untrustworthy.
	ErrReadOnly = errors.New("the log is read-only")
	// ErrUncertain: the event may be in the log or not, because the caller gave
	// up or the disk failed. Appending the same event again finds out.
	ErrUncertain = errors.New("the event may be in the log or not")
	// ErrNoSpace: the space reserve is used up; see Relieves.
	ErrNoSpace = errors.New("the disk's reserve is reached: only what frees space, takes rights away or locks out is accepted")
)

// AnySeq lets an event be appended whatever the last event of its subject is.
const AnySeq = ^uint64(0)

// Package trail is the read model by which events are found: for each property of
// events, such as an actor, a repository or a digest, the sequences of those that have
// it, and for each event who may read it. The events themselves are in the journal.
package trail

import (
	"encoding/hex"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
)

var (
	// entries has one row for each event. namespace is empty for events of the system.
	// audience is the keys of those who may read it, one behind the other; empty for
	// administrators of the hub only.
	entries = &projections.Table{
		Name: "entries", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{
			{Name: "seq", Kind: projections.Int},
			{Name: "time", Kind: projections.Int},
			{Name: "namespace", Kind: projections.Bytes},
			{Name: "audience", Kind: projections.Bytes},
		},
	}

	// marks are the properties; see List.
	marks = &projections.Table{
		Name: "marks", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{{Name: "mark", Kind: projections.Bytes}, {Name: "seq", Kind: projections.Int}},
	}
)

// Projection is the read model; raise Version with every change of its tables, of apply
// or of who may read what.
var Projection = projections.Projection{
	Name:    "trail",
	Version: 3,
	Tables:  []*projections.Table{entries, marks},
	Apply:   apply,
	Queries: queries,
}

func apply(e *events.Event, ops *projections.Ops) error {
	var time int64
	if t := e.Time(); !t.IsZero() {
		time = t.UnixMicro()
	}
	seq := projections.IntValue(int64(e.Seq))
	namespace := namespaceOf(e.Subject)
	p, err := events.Decode(e)
	if err != nil {
		p = nil // the journal has it as it is, and administrators can read it
	}
	var audience []byte
	written := map[List]bool{}
	mark := func(l List) {
		if l != "" && !written[l] {
			written[l] = true
			ops.Write(marks, projections.BytesValue([]byte(l)), seq)
		}
	}
	for _, a := range AudienceOf(p) {
		if key := a.key(); key != "" {
			audience = append(audience, key...)
			if a.Kind != NamespaceOwner { // they read all of their namespace
				mark(List(key))
			}
		}
	}
	ops.Write(entries, seq, projections.IntValue(time), projections.BytesValue(namespace), projections.BytesValue(audience))
	mark(OfID(e.ID()))
	mark(OfType(e.Type()))
	mark(OfActor(e.Actor()))
	if len(namespace) > 0 {
		mark(ofBytes(listNamespace, namespace))
	}
	if p != nil {
		markFacts(p, mark)
	}
	return nil
}

// namespaceOf is the id in a subject, empty for the system and for what is no subject
// of ours.
func namespaceOf(subject string) []byte {
	rest, ours := strings.CutPrefix(subject, events.SubjectPrefix)
	id, _, _ := strings.Cut(rest, ".")
	raw, err := projections.IDBytes(id)
	if !ours || err != nil {
		return []byte{}
	}
	return raw
}

// A List names the sequences of all events that have one property: a letter for the
// sort of property, and its value. The empty List has none.
type List string

// Sorts of lists. Those of the kinds of audiences are lists, too: they have what these
// readers may read.
const (
	listID        = 'i'
	listType      = 't'
	listActor     = 'y'
	listNamespace = 'n'
	listAbout     = 'R' // events about a repository that its readers may not read
	listDigest    = 'd'
	listCommit    = 'c'
)

// maxText bounds the text in a list's name in bytes: a longer one is found by its
// beginning.
const maxText = 200

func ofText(sort byte, text string) List {
	if text == "" {
		return ""
	}
	text = projections.TextValue(text).Text()
	return List(append([]byte{sort}, text[:min(len(text), maxText)]...))
}

func ofBytes(sort byte, raw []byte) List { return List(append([]byte{sort}, raw...)) }

func ofID(sort byte, id string) List {
	raw, err := projections.IDBytes(id)
	if err != nil {
		return ""
	}
	return ofBytes(sort, raw)
}

// OfID is the event with that id; an id that is no UUID is none.
func OfID(id string) List { return ofID(listID, id) }

// OfType is the events of a type, in full.
func OfType(name string) List { return ofText(listType, name) }

// OfActor is what an actor has done.
func OfActor(name string) List { return ofText(listActor, name) }

// OfNamespace is all events of the namespace with that id.
func OfNamespace(id string) List { return ofID(listNamespace, id) }

// OfRepository is all events about the repository with that id.
func OfRepository(id string) []List {
	return []List{ofID(byte(RepositoryReader), id), ofID(byte(RepositoryWriter), id), ofID(byte(RepositoryAdmin), id), ofID(listAbout, id)}
}

// Of is what readers of one kind may read. NamespaceOwner has no list of its own: see
// OfNamespace.
func (a Audience) Of() List { return List(a.key()) }

// OfDigest is the events that name a digest: of a manifest, of what a pushed manifest
// names (layers, config, children, subject), of a log or of a webhook's body.
func OfDigest(d digest.Digest) List {
	if d.Validate() != nil {
		return ""
	}
	raw, err := hex.DecodeString(d.Encoded())
	if err != nil {
		return ""
	}
	return ofBytes(listDigest, raw)
}

// OfCommit is the events that name a commit, by its whole id in hexadecimal digits.
func OfCommit(id string) List {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) < 20 || len(raw) > 32 {
		return ""
	}
	return ofBytes(listCommit, raw)
}

package events_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hubledger/events"
	"hubledger/schemas"
)

var update = flag.Bool("update", false, "fill in subject and leaf of samples that have none")

// A sample is one event as a log of an earlier release may hold it.
type sample struct {
	Seq        uint64            `json:"seq"`
	Subject    string            `json:"subject"`
	Attributes map[string]string `json:"attributes"`
	Data       json.RawMessage   `json:"data"`
	Leaf       string            `json:"leaf"`
}

func load(t *testing.T, path string) (sample, events.Event) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s sample
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(path, err)
	}
	var data bytes.Buffer
	if err := json.Compact(&data, s.Data); err != nil {
		t.Fatal(path, err)
	}
	e := events.Event{Seq: s.Seq, Subject: s.Subject, Data: data.Bytes()}
	for name, value := range s.Attributes {
		e.Set(name, value)
	}
	return s, e
}

// Every released version of every type must decode for ever, to the same
// subject and the same leaf.
func TestSamples(t *testing.T) {
	for _, typ := range events.Types {
		name := typ.Prototype.EventType()
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".json")
			s, e := load(t, path)
			if *update && s.Leaf == "" {
				fill(t, path, s, e)
				s, e = load(t, path)
			}
			if err := e.Check(); err != nil {
				t.Error(err)
			}
			p, err := events.Decode(&e)
			if err != nil {
				t.Fatal(err)
			}
			if p.EventType() != name || p.Subject() != s.Subject {
				t.Errorf("decoded to %s on %s, not %s on %s", p.EventType(), p.Subject(), name, s.Subject)
			}
			if leaf := fmt.Sprintf("%x", events.LeafOf(&e)); leaf != s.Leaf {
				t.Errorf("leaf %s, but it was %s when it was written: no proof holds any more", leaf, s.Leaf)
			}
			again, err := json.Marshal(p)
			if err != nil || !bytes.Equal(again, e.Data) {
				t.Errorf("decoding loses something:\n%s\n%s %v", e.Data, again, err)
			}
			validate(t, name, e.Data)
		})
	}
}

func validate(t *testing.T, name string, data []byte) {
	t.Helper()
	text, err := schemas.Of(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Error(err)
	}
	if err := schema.Validate(map[string]any{}); err == nil {
		t.Error("the schema accepts an empty event")
	}
}

func fill(t *testing.T, path string, s sample, e events.Event) {
	p, err := events.Decode(&e)
	if err != nil {
		t.Fatal(err)
	}
	e.Subject = p.Subject()
	s.Subject, s.Leaf = e.Subject, fmt.Sprintf("%x", events.LeafOf(&e))
	raw, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append(raw, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoOrphanSamples(t *testing.T) {
	known := map[string]bool{}
	for _, typ := range events.Types {
		known[typ.Prototype.EventType()+".json"] = true
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != len(known) {
		t.Errorf("%d samples for %d types, %v", len(files), len(known), err)
	}
	for _, f := range files {
		if !known[filepath.Base(f)] {
			t.Errorf("%s is a sample of a type that is not registered", f)
		}
	}
}

// Each part of an event that the leaf covers must change it.
func TestLeafCoversEverything(t *testing.T) {
	make := func() events.Event {
		_, e := load(t, "testdata/tag.deleted.v1.json")
		return e
	}
	base := make()
	for what, change := range map[string]func(*events.Event){
		"sequence":  func(e *events.Event) { e.Seq++ },
		"subject":   func(e *events.Event) { e.Subject += "x" },
		"id":        func(e *events.Event) { e.Set(events.AttrID, "other") },
		"actor":     func(e *events.Event) { e.Set(events.AttrActor, "mallory") },
		"attribute": func(e *events.Event) { e.Set("ce-extra", "1") },
		"data":      func(e *events.Event) { e.Data = append(bytes.Clone(e.Data), ' ') },
		"moved byte between fields": func(e *events.Event) {
			e.Subject, e.Data = e.Subject+string(e.Data[:1]), e.Data[1:]
		},
	} {
		e := make()
		change(&e)
		if events.LeafOf(&e) == events.LeafOf(&base) {
			t.Errorf("a changed %s leaves the leaf as it was", what)
		}
	}
}

func TestNew(t *testing.T) {
	e, err := events.New(events.NamespaceCreated{Namespace: "n", Name: "alice"}, events.Meta{ID: "1", Source: "/test", Actor: "bob", Cause: "0"})
	if err != nil {
		t.Fatal(err)
	}
	e.Set(events.AttrTime, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC).Format(events.TimeLayout))
	if err := e.Check(); err != nil {
		t.Error(err)
	}
	if e.Correlation() != "1" || e.Cause() != "0" || e.Time().Nanosecond() != 6000 {
		t.Errorf("%+v", e.Attributes)
	}
	for i := 1; i < len(e.Attributes); i++ {
		if e.Attributes[i-1].Name >= e.Attributes[i].Name {
			t.Errorf("attributes are not sorted: %v", e.Attributes)
		}
	}
	big := events.ImagePushed{Manifest: make([]byte, 6<<20)}
	if _, err := events.New(big, events.Meta{ID: "1"}); err == nil {
		t.Error("an event larger than a message was made")
	}
}

func TestDecodeRefuses(t *testing.T) {
	e := events.Event{}
	e.Set(events.AttrType, "image.pushed.v9")
	if _, err := events.Decode(&e); !errors.Is(err, events.ErrUnknownType) {
		t.Error(err)
	}
	e.Set(events.AttrType, "image.pushed.v1")
	e.Data = []byte(`{"manifest":7}`)
	if _, err := events.Decode(&e); err == nil || errors.Is(err, events.ErrUnknownType) {
		t.Error(err)
	}
}

func TestSubjects(t *testing.T) {
	if h := events.HashName("alice/app"); len(h) != 52 || h != strings.ToLower(h) {
		t.Errorf("h(name) is %q", h)
	}
	if s := events.TagSubject("N", "R", "1.0-rc.1"); s != "evt.N.tag.R-1~0-rc~1" {
		t.Error(s)
	}
}

func TestSplitType(t *testing.T) {
	for in, want := range map[string]string{"a.b.v1": "a.b 1", "a.v2.v10": "a.v2 10", "a.b": "", ".v1": "", "a.b.v0": "", "a.b.v": "", "a.v-1": ""} {
		got := ""
		if family, version, err := events.SplitType(in); err == nil {
			got = fmt.Sprint(family, " ", version)
		}
		if got != want {
			t.Errorf("%s: %q, not %q", in, got, want)
		}
	}
}

// The leaf is the RFC 6962 hash of the record, and the record is read back as the event
// that it is; nothing else is accepted.
func TestRecord(t *testing.T) {
	e := events.Event{Seq: 17, Subject: "evt.a.b.c", Data: []byte(`{"a":1}`)}
	e.Set(events.AttrType, "image.pushed.v1")
	e.Set(events.AttrID, "an id")
	e.Set("ce-zother", "")
	record := events.Record(&e)
	if events.Leaf(sha256.Sum256(append([]byte{0}, record...))) != events.LeafOf(&e) {
		t.Error("the leaf is not the hash of the record")
	}
	got, err := events.ReadRecord(record)
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("%+v is read as %+v: %v", e, got, err)
	}
	for n := range record {
		if got, err := events.ReadRecord(record[:n]); err == nil {
			t.Errorf("the first %d bytes are read as %+v", n, got)
		}
		changed := bytes.Clone(record)
		changed[n] ^= 0x80
		if got, err := events.ReadRecord(changed); err == nil && reflect.DeepEqual(got, e) {
			t.Errorf("with byte %d changed it is the same event", n)
		}
	}
	for what, bad := range map[string]events.Event{
		"an attribute twice": {Attributes: []events.Attribute{{Name: "ce-a"}, {Name: "ce-a"}}},
		"not sorted":         {Attributes: []events.Attribute{{Name: "ce-b"}, {Name: "ce-a"}}},
	} {
		if got, err := events.ReadRecord(events.Record(&bad)); err == nil {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if _, err := events.ReadRecord(append(record, 0)); err == nil {
		t.Error("a byte more is accepted")
	}
}

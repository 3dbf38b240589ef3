package asyncapi_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/schemas"
	"hubledger/schemas/asyncapi"
)

// A sample of an event, as events/testdata has it.
type sample struct {
	Subject    string
	Attributes map[string]string
}

// Every type of event is in the document with its schema, below the subjects that its
// samples have and with the headers that they have; and everything refers to what is there.
func TestDocument(t *testing.T) {
	text, err := asyncapi.Document("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		AsyncAPI string
		Info     struct{ Version string }
		Channels map[string]struct {
			Address  string
			Messages map[string]struct {
				Ref string `json:"$ref"`
			}
			Parameters map[string]any
		}
		Operations map[string]struct {
			Channel struct {
				Ref string `json:"$ref"`
			}
		}
		Components struct {
			Messages map[string]struct {
				Payload struct{ Schema json.RawMessage }
			}
			Schemas map[string]struct {
				Properties map[string]any
				Required   []string
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.AsyncAPI != "3.0.0" || doc.Info.Version != "1.2.3" || len(doc.Components.Messages) != len(events.Types) || len(doc.Operations) != len(doc.Channels) {
		t.Errorf("%s %s: %d messages, %d channels, %d operations", doc.AsyncAPI, doc.Info.Version, len(doc.Components.Messages), len(doc.Channels), len(doc.Operations))
	}
	compact := func(b []byte) string {
		var out bytes.Buffer
		if err := json.Compact(&out, b); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for name, m := range doc.Components.Messages {
		if want, err := schemas.Of(name); err != nil || compact(want) != compact(m.Payload.Schema) {
			t.Errorf("the schema of %s is another one: %v", name, err)
		}
	}
	for kind, c := range doc.Channels {
		for name, m := range c.Messages {
			if _, ok := doc.Components.Messages[name]; !ok || m.Ref != "#/components/messages/"+name {
				t.Errorf("%s refers to %s", kind, m.Ref)
			}
		}
		if doc.Operations["record."+kind].Channel.Ref != "#/channels/"+kind || len(c.Parameters) != strings.Count(c.Address, "{") {
			t.Errorf("%s: %+v", kind, c)
		}
	}
	files, err := filepath.Glob("../../events/testdata/*.json")
	if err != nil || len(files) < len(events.Types) {
		t.Fatal(len(files), err)
	}
	envelope := doc.Components.Schemas["envelope"]
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s sample
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		name, kind := s.Attributes["ce-type"], strings.Split(s.Subject, ".")[2]
		if _, ok := doc.Channels[kind].Messages[name]; !ok || doc.Channels[kind].Address != "evt.{namespace}."+kind+".{id}" {
			t.Errorf("%s: %s is not among the messages of %s", filepath.Base(file), name, s.Subject)
		}
		for header := range s.Attributes {
			if envelope.Properties[header] == nil {
				t.Errorf("%s: the header %s is not described", filepath.Base(file), header)
			}
		}
		for _, header := range envelope.Required {
			if s.Attributes[header] == "" {
				t.Errorf("%s: it has no %s", filepath.Base(file), header)
			}
		}
	}
}

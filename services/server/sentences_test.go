package server_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/service"
	"hubledger/services/server"
)

// alwaysNamed has a name for every id.
type alwaysNamed struct{}

func (alwaysNamed) Account(string) string      { return "alice" }
func (alwaysNamed) Team(string, string) string { return "core" }
func (alwaysNamed) Repository(string) string   { return "team/app" }
func (alwaysNamed) Source(string) string       { return "team/code" }
func (alwaysNamed) Token(string) (string, string) {
	return "laptop", "0199d6a5-3c00-7000-8000-000000000001"
}

// What the samples of all events are told as is in testdata/sentences.txt, for people to
// read; references are in brackets. HUBLEDGER_UPDATE=1 writes it anew.
func TestSentences(t *testing.T) {
	all := service.SentencesOf(server.Declared())
	var b strings.Builder
	for _, typ := range events.Types {
		name := typ.Prototype.EventType()
		text, err := os.ReadFile(filepath.Join("..", "..", "events", "testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var sample struct {
			Subject string
			Data    json.RawMessage
		}
		if err := json.Unmarshal(text, &sample); err != nil {
			t.Fatal(err)
		}
		e := events.Event{Subject: sample.Subject, Data: sample.Data}
		e.Set(events.AttrType, name)
		said := all.Say(alwaysNamed{}, &e)
		if strings.Contains(said.String(), "0199d6a5") {
			t.Errorf("%s shows an id: %s", name, said)
		}
		fmt.Fprintf(&b, "%s: ", name)
		for _, p := range said {
			if p.Kind == "" {
				b.WriteString(p.Text)
			} else {
				fmt.Fprintf(&b, "[%s %s]", p.Kind, p.Text)
			}
			if p.Kind != "" && p.Name == "" && p.ID == "" {
				t.Errorf("%s: the reference %q leads nowhere", name, p.Text)
			}
		}
		b.WriteByte('\n')
	}
	golden := filepath.Join("testdata", "sentences.txt")
	if os.Getenv("HUBLEDGER_UPDATE") == "1" {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("told are\n%s\nwant\n%s", b.String(), want)
	}
}

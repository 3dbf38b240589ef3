package projections

import (
	"strings"
	"testing"

	"hubledger/events"
)

func searchable() *Projection {
	facts := &Table{Name: "facts", Key: 1, Columns: []Column{{"thing", Bytes}, {"seq", Int}, {"name", Text}}}
	return &Projection{Name: "things", Version: 1, Tables: []*Table{facts}, Apply: func(*events.Event, *Ops) error { return nil },
		Searches: []*Search{{
			Table:  &Table{Name: "docs", Key: 1, Columns: []Column{{"id", Int}, {"thing", Bytes}, {"name", Text}, {"words", Text}}},
			Select: "SELECT f.seq, f.thing, f.name, f.name FROM facts f WHERE f.seq > 0", Sources: []*Table{facts},
			By: "thing", ByIn: "f.thing", Trigrams: "name", Words: "words",
		}}}
}

// Stores that were built before there were searches stay what they are.
func TestShape(t *testing.T) {
	p := searchable()
	with := shapeOf(p)
	p.Searches = nil
	const before = "e45b86274ea414bcc1b1314aad3d7faf"
	if got := shapeOf(p); got != before {
		t.Errorf("the shape of tables alone is %s, was %s", got, before)
	}
	if with == before {
		t.Error("a search does not change the shape")
	}
	for what, change := range map[string]func(*Search){
		"select":  func(s *Search) { s.Select += " AND true" },
		"index":   func(s *Search) { s.Table.Indexes = [][]string{{"name"}} },
		"words":   func(s *Search) { s.Words = "name" },
		"sources": func(s *Search) { s.Sources = nil },
	} {
		p := searchable()
		change(p.Searches[0])
		if shapeOf(p) == with {
			t.Errorf("another %s has the same shape", what)
		}
	}
}

func TestSearchIsChecked(t *testing.T) {
	if _, err := NewModel(searchable()); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Search){
		"one Int key":    func(s *Search) { s.Table.Columns[0].Kind = Text },
		"Text columns":   func(s *Search) { s.Trigrams = "thing" },
		"column \"it\"":  func(s *Search) { s.By = "it" },
		"source strange": func(s *Search) { s.Sources = []*Table{{Name: "strange", Key: 1, Columns: []Column{{"thing", Bytes}}}} },
		"no column":      func(s *Search) { s.Table.Indexes = [][]string{{"colour"}} },
	} {
		p := searchable()
		change(p.Searches[0])
		if _, err := NewModel(p); err == nil || !strings.Contains(err.Error(), "search docs") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

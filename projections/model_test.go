package projections

import (
	"strings"
	"testing"

	"hubledger/events"
)

func nothing(*events.Event, *Ops) error { return nil }

func TestCompileRefuses(t *testing.T) {
	key := []Column{{"k", Int}}
	for name, p := range map[string]*Projection{
		"name":          {Name: "No", Version: 1, Apply: nothing},
		"version":       {Name: "no", Version: 0, Apply: nothing},
		"apply":         {Name: "no", Version: 1},
		"key":           {Name: "no", Version: 1, Apply: nothing, Tables: []*Table{{Name: "t", Columns: key}}},
		"put seq":       {Name: "no", Version: 1, Apply: nothing, Tables: []*Table{{Name: "t", Columns: key, Key: 1, Merge: Put}}},
		"add of text":   {Name: "no", Version: 1, Apply: nothing, Tables: []*Table{{Name: "t", Columns: append(key, Column{"x", Text}), Key: 1, Merge: Add}}},
		"index":         {Name: "no", Version: 1, Apply: nothing, Tables: []*Table{{Name: "t", Columns: key, Key: 1, Indexes: [][]string{{"x"}}}}},
		"type":          {Name: "no", Version: 1, Apply: nothing, Types: []string{"unversioned"}},
		"reserved name": {Name: "no", Version: 1, Apply: nothing, Tables: []*Table{{Name: "_store", Columns: key, Key: 1}}},
	} {
		if _, err := NewModel(p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestApplyRefusesBadOperations(t *testing.T) {
	put := &Table{Name: "put", Key: 1, Merge: Put, Columns: []Column{{"k", Text}, {"seq", Int}}}
	add := &Table{Name: "add", Key: 1, Merge: Add, Columns: []Column{{"k", Int}, {"n", Int}}}
	other := &Table{Name: "other", Key: 1, Columns: []Column{{"k", Int}}}
	for name, write := range map[string]func(ops *Ops){
		"too few cells":     func(ops *Ops) { ops.Write(put, TextValue("x")) },
		"wrong kind":        func(ops *Ops) { ops.Write(put, TextValue("x"), TextValue("y")) },
		"long key":          func(ops *Ops) { ops.Write(put, TextValue(strings.Repeat("x", maxIndexed+1)), IntValue(1)) },
		"foreign table":     func(ops *Ops) { ops.Write(other, IntValue(1)) },
		"delete with a row": func(ops *Ops) { ops.Delete(put, TextValue("x"), IntValue(1)) },
		"too much to add":   func(ops *Ops) { ops.Write(add, IntValue(1), IntValue(1<<48)) },
	} {
		m, err := NewModel(&Projection{Name: "p", Version: 1, Tables: []*Table{put, add}, Apply: func(_ *events.Event, ops *Ops) error {
			ops.Write(add, IntValue(1), IntValue(1))
			write(ops)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		var ops Ops
		if err := m.apply(&events.Event{Seq: 1}, &ops); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if len(ops.list) != 0 || len(ops.values) != 0 {
			t.Errorf("%s: %d operations of the refused event stayed", name, len(ops.list))
		}
	}
}

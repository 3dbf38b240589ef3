package events_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"hubledger/events"
)

// A redacted event keeps its leaf, its envelope, and the hash of what it said; it is no
// event of its type any more.
func TestRedact(t *testing.T) {
	e, err := events.New(events.RepositoryDeleted{Namespace: "n", Repository: "r", Name: "alice/app"}, events.Meta{ID: "0199d6a5-3c00-7000-8000-000000000201", Source: "/test", Actor: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	e.Seq = 7
	e.Set(events.AttrTime, "2026-11-01T12:00:00.000001Z")
	leaf, said, attributes := events.LeafOf(&e), e.Data, len(e.Attributes)
	r := events.Redact(&e)
	if len(e.Attributes) != attributes || string(e.Data) != string(said) {
		t.Error("the event itself was changed")
	}
	if _, is := e.Redacted(); is {
		t.Error("the event itself counts as redacted")
	}
	if carried, is := r.Redacted(); !is || carried != leaf || events.LeafOf(&r) != leaf {
		t.Errorf("leaf %x, want %x", events.LeafOf(&r), leaf)
	}
	if r.Seq != e.Seq || r.Subject != e.Subject || r.ID() != e.ID() || r.Time() != e.Time() || r.Actor() != "alice" || r.Check() != nil {
		t.Errorf("%+v, %v", r, r.Check())
	}
	var left struct {
		SHA256 string
		Bytes  int
	}
	if err := json.Unmarshal(r.Data, &left); err != nil || left.SHA256 != fmt.Sprintf("%x", sha256.Sum256(said)) || left.Bytes != len(said) {
		t.Errorf("%s, %v", r.Data, err)
	}
	if _, err := events.Decode(&r); !errors.Is(err, events.ErrRedacted) {
		t.Errorf("decoded: %v", err)
	}
	if events.Relieves(&r) {
		t.Error("it counts as one that relieves")
	}
	if again := events.Redact(&r); !reflect.DeepEqual(again, r) {
		t.Errorf("redacted again: %+v", again)
	}
	if read, err := events.ReadRecord(events.Record(&r)); err != nil || !reflect.DeepEqual(read, r) {
		t.Errorf("read back: %+v, %v", read, err)
	}
	for _, bad := range []string{"x", r.Attr(events.AttrRedacted)[1:], "z" + r.Attr(events.AttrRedacted)[1:], r.Attr(events.AttrRedacted) + "00"} {
		odd := events.Redact(&e)
		odd.Set(events.AttrRedacted, bad)
		if _, is := odd.Redacted(); is || events.LeafOf(&odd) == leaf || odd.Check() == nil {
			t.Errorf("%q counts as the leaf of a redacted event", bad)
		}
	}
}

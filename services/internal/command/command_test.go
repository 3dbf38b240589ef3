package command_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/streams/streamtest"
)

// A command's event says who decided and why, and has an id of its own.
func TestAppend(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	id, err := command.NewID()
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := uuid.Parse(id); err != nil || parsed.Version() != 7 {
		t.Fatalf("id %q: %v", id, err)
	}
	p := events.NamespaceCreated{Namespace: id, Name: "alice"}
	by := command.By{Source: "/test", Actor: "tester", Cause: "0191d1a0-0000-7000-8000-000000000001", Correlation: "0191d1a0-0000-7000-8000-000000000002"}
	seq, err := command.Append(ctx, log, by, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := command.Append(ctx, log, by, p, 0); !errors.Is(err, events.ErrConflict) {
		t.Fatalf("created twice: %v", err)
	}
	e, err := log.Get(ctx, seq)
	if err != nil {
		t.Fatal(err)
	}
	if e.Actor() != by.Actor || e.Source() != by.Source || e.Cause() != by.Cause || e.Correlation() != by.Correlation || uuid.Validate(e.ID()) != nil {
		t.Errorf("%+v", e.Attributes)
	}
	got, last, err := command.Latest(ctx, log, p.Subject())
	if err != nil || got != events.Payload(p) || last != seq {
		t.Errorf("latest is %+v at %d, %v", got, last, err)
	}
	if got, last, err := command.Latest(ctx, log, events.NamespaceSubject("bob")); got != nil || last != 0 || err != nil {
		t.Errorf("of a subject without events: %+v at %d, %v", got, last, err)
	}
}

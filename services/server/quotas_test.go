package server

import (
	"testing"

	"hubledger/events"
	"hubledger/projections"
)

// Quotas are remembered until a commit may have changed one; what was read before
// that is not kept.
func TestQuotasAreForgottenByTheirChanges(t *testing.T) {
	const id = "01890000-0000-7000-8000-000000000001"
	commit := func(p events.Payload) projections.Commit {
		e, err := events.New(p, events.Meta{ID: id, Source: "/test", Actor: "tester"})
		if err != nil {
			t.Fatal(err)
		}
		return projections.Commit{Events: []events.Event{e}}
	}
	for name, c := range map[string]struct {
		commit projections.Commit
		forget bool
	}{
		"a quota":            {commit(events.QuotaSet{Namespace: id, Bytes: 5}), true},
		"a namespace":        {commit(events.NamespaceCreated{Namespace: id, Name: "acme"}), true},
		"another node's":     {projections.Commit{}, true},
		"something else":     {commit(events.StarGiven{Namespace: id, Repository: id, User: id}), false},
		"nothing, but known": {projections.Commit{Events: []events.Event{}}, false},
	} {
		q := &quotas{}
		q.keep(0, "acme", quotaOf{1, 2})
		if bytes, images, err := q.Quota(t.Context(), "acme"); err != nil || bytes != 1 || images != 2 {
			t.Fatalf("%d, %d, %v", bytes, images, err)
		}
		q.committed(c.commit)
		if forgot := len(q.known) == 0; forgot != c.forget {
			t.Errorf("%s: forgotten: %v", name, forgot)
		}
		if q.keep(0, "late", quotaOf{1, 2}); c.forget && len(q.known) != 0 {
			t.Errorf("%s: what was read before is kept", name)
		}
	}
}

package rules

import (
	"fmt"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

// BenchmarkDue looks for what is due where 20,000 refs have been evaluated: for the
// first time since the program began, and again.
func BenchmarkDue(b *testing.B) {
	const n = 20_000
	log := &projectiontest.Log{}
	add := func(p events.Payload, cause string) string {
		last, _ := log.LastSeq(b.Context())
		e, err := events.New(p, events.Meta{ID: fmt.Sprintf("0191d1a0-0000-7000-8000-1%011d", last), Source: "/test", Actor: "t", Cause: cause})
		check(b, err)
		e.Set(events.AttrTime, time.Unix(0, 0).UTC().Format(events.TimeLayout))
		log.Append(e)
		return e.ID()
	}
	add(events.SourceLinked{Namespace: acme, Source: gitID, Name: "acme/app", Settings: events.SourceSettings{URL: "https://git.invalid/app.git"}}, "")
	add(events.RulesSet{Namespace: acme, Repository: appID, Name: "acme/app", Source: gitID, Rules: []events.BuildRule{onBranch("edge", "main", "edge")}}, "")
	for k := range n {
		m := events.RefMoved{Namespace: acme, Source: gitID, Ref: fmt.Sprint("refs/tags/v", k), Kind: events.RefTag, New: "c"}
		add(events.PushEvaluated{Namespace: acme, Repository: appID, Source: gitID, Ref: m.Ref, Commit: "c"}, add(m, ""))
	}
	last, _ := log.LastSeq(b.Context())
	store, err := sqlitestore.Dir(b.TempDir()).Open(b.Context(), &builds.Projection, projections.Options{})
	check(b, err)
	defer store.Close()
	check(b, projections.CatchUp(b.Context(), store, log, last, nil))
	r := builds.Reader{DB: store.DB()}
	look := func(b *testing.B, d *dueList) {
		if due, err := d.list(b.Context(), r, false); err != nil || len(due) != 0 {
			b.Fatal(len(due), err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			look(b, &dueList{})
		}
	})
	b.Run("again", func(b *testing.B) {
		for d := (&dueList{}); b.Loop(); {
			look(b, d)
		}
	})
}

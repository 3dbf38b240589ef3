package builds_test

import (
	"fmt"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

// BenchmarkDuePushes looks for what is due where 20,000 refs have been evaluated.
func BenchmarkDuePushes(b *testing.B) {
	const n = 20_000
	log := &projectiontest.Log{}
	add := func(p events.Payload, cause string) string {
		last, _ := log.LastSeq(b.Context())
		e, err := events.New(p, events.Meta{ID: id(1000 + int(last)), Source: "/test", Actor: "t", Cause: cause})
		check(b, err)
		e.Set(events.AttrTime, noon.Format(events.TimeLayout))
		log.Append(e)
		return e.ID()
	}
	add(linked(app, "acme/app", "https://x/app"), "")
	add(set(repoA, app, false, edge), "")
	for k := range n {
		m := moved(app, fmt.Sprint("refs/tags/v", k), "", "c")
		cause := add(m, "")
		add(events.PushEvaluated{Namespace: id(acme), Repository: id(repoA), Source: id(app), Ref: m.Ref, Commit: "c"}, cause)
	}
	last, _ := log.LastSeq(b.Context())
	store, err := sqlitestore.Dir(b.TempDir()).Open(b.Context(), &builds.Projection, projections.Options{})
	check(b, err)
	defer store.Close()
	check(b, projections.CatchUp(b.Context(), store, log, last, nil))
	r := builds.Reader{DB: store.DB()}
	for b.Loop() {
		due, err := r.DuePushes(b.Context(), 1000)
		if err != nil || len(due) != 0 {
			b.Fatal(len(due), err)
		}
	}
}

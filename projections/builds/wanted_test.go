package builds_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/projectiontest"
)

// Which builds are wanted: those of the latest evaluation of each ref, by the rules
// that it had or those of its file, until they are queued, and as many of a namespace as
// may wait.
func TestWantedBuilds(t *testing.T) {
	const other = 4 // another namespace
	log := &projectiontest.Log{}
	add := func(p events.Payload, cause string) string {
		last, _ := log.LastSeq(t.Context())
		e, err := events.New(p, events.Meta{ID: id(1000 + int(last)), Source: "/test", Actor: "tester", Cause: cause})
		check(t, err)
		e.Set(events.AttrTime, noon.Format(events.TimeLayout))
		log.Append(e)
		return e.ID()
	}
	two := edge
	two.Name = "two"
	rules := add(set(repoA, app, false, edge, two), "")
	push := func(namespace, repo int, ref, after string, file *events.RulesFile, names ...string) string {
		move := add(moved(app, ref, "", "c"), "")
		e := events.PushEvaluated{Namespace: id(namespace), Repository: id(repo), Source: id(app), Ref: ref, Commit: "c", RulesEvent: rules, After: after, File: file}
		for _, name := range names {
			e.Verdicts = append(e.Verdicts, events.RuleVerdict{Rule: name, Outcome: events.OutcomeBuild, Tags: []string{name}})
		}
		return add(e, move)
	}
	queue := func(n, namespace int, cause, rule string) {
		add(events.BuildQueued{Namespace: id(namespace), Repository: id(repoA), Build: id(n), Source: id(app), Ref: "refs/tags/v", Kind: events.RefTag, Rule: events.BuildRule{Name: rule}}, cause)
	}
	first := push(acme, repoA, "refs/tags/v1", "", nil, "edge", "two")
	second := push(acme, repoA, "refs/tags/v2", "", nil, "edge")
	push(acme, repoA, "refs/tags/v3", "", &events.RulesFile{Rules: []events.BuildRule{{Name: "own"}}}, "own")
	fourth := push(other, repoB, "refs/tags/v4", "", nil, "edge")
	add(set(repoA, 0, false), "") // what was evaluated stays

	want := func(what string, most, n int, names ...string) {
		t.Helper()
		last, _ := log.LastSeq(t.Context())
		projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
			store, err := storage.Open(t.Context(), &builds.Projection, projections.Options{})
			check(t, err)
			defer store.Close()
			check(t, projections.CatchUp(t.Context(), store, log, last, nil))
			list, err := builds.Reader{DB: store.DB()}.WantedBuilds(t.Context(), most, n)
			check(t, err)
			var got []string
			for _, w := range list {
				got = append(got, fmt.Sprint(strings.TrimPrefix(w.Ref, "refs/tags/"), " ", w.Rule.Name))
				if w.FromFile != (w.Rule.Name == "own") || w.Namespace == "" || w.Kind != events.RefTag {
					t.Errorf("%+v", w)
				}
			}
			if !slices.Equal(got, names) {
				t.Errorf("%s: %q, want %q", what, got, names)
			}
		})
	}
	want("all", 1000, 9, "v4 edge", "v1 edge", "v1 two", "v2 edge", "v3 own")
	want("at most three of a namespace wait", 3, 9, "v4 edge", "v1 edge", "v1 two", "v2 edge")
	want("at most one push is asked for", 1000, 1, "v4 edge")
	queue(70, acme, first, "edge")
	queue(71, acme, first, "two")
	queue(72, other, fourth, "edge")
	want("after some were queued", 1000, 9, "v2 edge", "v3 own")
	want("as many wait as may", 2, 9)
	add(events.BuildClaimed{Namespace: id(acme), Build: id(70), Builder: "local", Epoch: 1}, "")
	want("one of them runs", 2, 9, "v2 edge")
	push(acme, repoA, "refs/tags/v2", second, nil)
	want("a push that was followed by another", 1000, 9, "v3 own")
}

package builder

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
)

// onBase is a rule that wants its builds again when an image changes.
func onBase(name string) events.BuildRule {
	r := rule(name)
	r.Rebuild = "base"
	return r
}

// built are the events of the nth build, which succeeded: of main by a rule, made from
// the image of acme/base:1 that has that number.
func built(n int, r events.BuildRule, image int, change ...func(*events.BuildQueued)) []events.Payload {
	q := events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(n), Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1", Rule: r, Tags: r.Tags}
	for _, c := range change {
		c(&q)
	}
	base := events.BuildBase{Name: "hub.test/acme/base:1", Digest: digestOf(image).String(), Repository: "acme/base", Tag: "1"}
	return []events.Payload{q, events.BuildClaimed{Namespace: id(acme), Build: q.Build, Builder: "local", Epoch: 1},
		events.BuildPushed{Namespace: id(acme), Build: q.Build, Epoch: 1, Digest: madeDigest, Bases: []events.BuildBase{base}},
		events.BuildFinished{Namespace: id(acme), Build: q.Build, Epoch: 1, Outcome: events.BuildSucceeded, Digest: madeDigest}}
}

// due are the builds that are to be made again: the rule, and the image before and after.
func (w *world) due(after time.Duration) (list []events.BuildQueued) {
	w.t.Helper()
	all, err := w.rebuilds(context.Background(), time.Now().Add(after))
	check(w.t, err)
	for _, r := range all {
		list = append(list, r.event)
	}
	return list
}

// A build is made again when a tag that it was made from names another image, and only
// then: when its rule wants it still, and its ref is where it was.
func TestRebuildOnBase(t *testing.T) {
	for what, c := range map[string]struct {
		do   func(w *world)
		want bool
	}{
		"nothing":                {func(*world) {}, false},
		"the image changes":      {func(w *world) { w.tagged("acme/base", "1", 2, "") }, true},
		"it is pushed as it was": {func(w *world) { w.tagged("acme/base", "1", 1, "") }, false},
		"another tag changes":    {func(w *world) { w.tagged("acme/base", "2", 2, "") }, false},
		"it changes back":        {func(w *world) { w.tagged("acme/base", "1", 2, ""); w.tagged("acme/base", "1", 1, "") }, false},
		"the tag is deleted": {func(w *world) {
			w.record(events.TagDeleted{Namespace: id(acme), Repository: id(9), Tag: "1", Digest: digestOf(1)})
		}, false},
		"the rule does not want it": {func(w *world) { w.tagged("acme/base", "1", 2, ""); w.record(rulesOf(rule("base"))) }, false},
		"the rule is gone":          {func(w *world) { w.tagged("acme/base", "1", 2, ""); w.record(rulesOf(onBase("other"))) }, false},
		"the rules are of another": {func(w *world) {
			w.tagged("acme/base", "1", 2, "")
			r := rulesOf(onBase("base"))
			r.Source = id(99)
			w.record(r)
		}, false},
		"the ref has moved": {func(w *world) { w.tagged("acme/base", "1", 2, ""); w.record(moved("refs/heads/main", "c1", "c2")) }, false},
		"the repository was deleted": {func(w *world) {
			w.tagged("acme/base", "1", 2, "")
			w.record(events.RepositoryDeleted{Namespace: id(acme), Repository: id(app), Name: "acme/app"})
		}, false},
		"a newer build has the image": {func(w *world) { w.tagged("acme/base", "1", 2, ""); w.record(built(31, onBase("base"), 2)...) }, false},
		"a newer build waits":         {func(w *world) { w.tagged("acme/base", "1", 2, ""); w.record(built(31, onBase("base"), 2)[0]) }, false},
		"a newer build did not want":  {func(w *world) { w.tagged("acme/base", "1", 2, ""); w.record(built(31, rule("base"), 1)...) }, false},
		"a test came later": {func(w *world) {
			w.tagged("acme/base", "1", 2, "")
			w.record(built(31, onBase("base"), 1, func(q *events.BuildQueued) { q.Test = true })...)
		}, true},
	} {
		w := newWorld(t)
		w.record(rulesOf(onBase("base"), rule("other")))
		w.tagged("acme/base", "1", 1, "")
		w.record(built(30, onBase("base"), 1)...)
		c.do(w)
		got := w.due(0)
		if len(got) > 0 != c.want {
			t.Errorf("%s: due are %+v", what, got)
		}
		if !c.want || len(got) == 0 {
			continue
		}
		want := events.BuildRebuild{Base: "hub.test/acme/base:1", Was: digestOf(1).String(), Now: digestOf(2).String()}
		if q := got[0]; len(got) != 1 || q.Commit != "c1" || q.RetryOf != id(30) || q.Tags[0] != "base" || fmt.Sprint(*q.Rebuild) != fmt.Sprint(want) {
			t.Errorf("%s: due are %+v", what, got)
		}
	}
}

// What was made again is not made again because of the same event, and within an hour
// because of no other; then it is made with what the tag names by then. One that failed
// is tried when the image changes once more.
func TestRebuildsAreRare(t *testing.T) {
	for _, outcome := range []string{events.BuildSucceeded, events.BuildFailed} {
		w := newWorld(t)
		w.record(rulesOf(onBase("base")))
		w.record(built(30, onBase("base"), 1)...)
		w.tagged("acme/base", "1", 2, "")
		again := w.due(0)[0]
		w.record(again)
		if got := w.due(2 * rebuildEvery); len(got) > 0 {
			t.Errorf("while it waits %+v is due", got)
		}
		if outcome == events.BuildSucceeded {
			w.record(built(0, onBase("base"), 2, func(q *events.BuildQueued) { *q = again })[1:]...)
		} else {
			w.record(events.BuildFinished{Namespace: id(acme), Build: again.Build, Outcome: outcome})
		}
		if got := w.due(2 * rebuildEvery); len(got) > 0 {
			t.Errorf("%s: made once more: %+v", outcome, got)
		}
		w.tagged("acme/base", "1", 3, "")
		w.tagged("acme/base", "1", 4, "")
		if got := w.due(rebuildEvery - time.Minute); len(got) > 0 {
			t.Errorf("%s: within an hour %+v is due", outcome, got)
		}
		was := map[string]int{events.BuildSucceeded: 2, events.BuildFailed: 1}[outcome]
		if got := w.due(rebuildEvery + time.Minute); len(got) != 1 || got[0].Rebuild.Was != digestOf(was).String() || got[0].Rebuild.Now != digestOf(4).String() {
			t.Errorf("%s: after an hour %+v is due", outcome, got)
		}
	}
}

// Images that are made from each other end: when the change of an image goes back to a
// change of this one, directly or by others, nothing is made again. Neither when too many
// followed each other.
func TestRebuildsEnd(t *testing.T) {
	w := newWorld(t)
	w.record(rulesOf(onBase("base"), onBase("other")))
	event := func(n int) string {
		b, err := w.Read.Build(t.Context(), id(n))
		check(t, err)
		return b.Event
	}
	other := func(chain ...string) func(q *events.BuildQueued) {
		return func(q *events.BuildQueued) {
			q.Rule, q.RetryOf, q.Rebuild = onBase("other"), id(8), &events.BuildRebuild{Base: "x", Was: "y", Now: "z", Chain: chain}
		}
	}
	w.record(built(30, onBase("base"), 1)...)
	w.tagged("acme/base", "1", 2, event(30)) // its own image
	if got := w.due(0); len(got) > 0 {
		t.Errorf("made from itself: %+v", got)
	}
	w.record(built(40, rule("other"), 9)...)
	w.tagged("acme/base", "1", 3, event(40)) // that of another, which somebody has pushed
	if got := w.due(0); len(got) != 1 || strings.Join(got[0].Rebuild.Chain, " ") != id(40) {
		t.Errorf("after another: %+v", got)
	}
	w.record(built(41, onBase("other"), 9, other(id(30)))...)
	w.tagged("acme/base", "1", 4, event(41)) // that of another, which was made again because of this one
	if got := w.due(0); len(got) > 0 {
		t.Errorf("in a circle: %+v", got)
	}
	var long []string
	for n := range rebuildChain {
		w.record(built(50+n, onBase("more"), 9, func(q *events.BuildQueued) { q.Ref = fmt.Sprint("refs/heads/", n) })...)
		long = append(long, id(50+n))
	}
	for have, want := range map[int]int{rebuildChain - 1: 1, rebuildChain: 0} {
		w.record(built(60+have, onBase("other"), 9, other(long[:have]...))...)
		w.tagged("acme/base", "1", 5+have, event(60+have))
		if got := w.due(0); len(got) != want {
			t.Errorf("after %d others: %+v", have+1, got)
		}
	}
}

// Of a rule with many refs those are made again that were built last, in the order in
// which the refs moved, so that what several of them give ends at the last one.
func TestRebuildsOfManyRefs(t *testing.T) {
	w := newWorld(t)
	w.record(rulesOf(onBase("base")))
	for n := range rebuildRefs + 3 {
		ref := fmt.Sprint("refs/heads/", n)
		w.record(moved(ref, "", "c1"))
		w.record(built(30+n, onBase("base"), 1, func(q *events.BuildQueued) { q.Ref = ref })...)
	}
	w.tagged("acme/base", "1", 2, "")
	got := w.due(0)
	if len(got) != rebuildRefs || got[0].Ref != "refs/heads/3" || got[rebuildRefs-1].Ref != fmt.Sprint("refs/heads/", rebuildRefs+2) {
		t.Errorf("%d are due: %+v", len(got), got)
	}
}

// A build is made again once, wherever the process dies.
func TestRebuildingKilledAtEveryStep(t *testing.T) {
	list := append([]events.Payload{rulesOf(onBase("base")), moved("refs/heads/main", "", "c1")}, built(30, onBase("base"), 1)...)
	list = append(list, events.ImageTagged{Namespace: id(acme), Repository: id(9), Tag: "1", Digest: digestOf(2)})
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: prepared(list...),
		Manager: func(t testing.TB, l *processtest.Life) process.Manager { return live(t, l).rebuilding() },
		State: func(t testing.TB, l *processtest.Life) string {
			waiting, err := live(t, l).Read.InState(context.Background(), builds.Waiting)
			check(t, err)
			return fmt.Sprint(len(waiting), " builds wait")
		},
	})
}

// Commits that move no tag wake nobody; of many that do, one look follows.
func TestImagesCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBuilder(Config{})
		woken := func() bool {
			time.Sleep(2 * lookAfter)
			select {
			case <-s.imagesMoved:
				return true
			default:
				return false
			}
		}
		of := func(p events.Payload) projections.Commit {
			e, err := events.New(p, events.Meta{})
			check(t, err)
			return projections.Commit{Events: []events.Event{e}}
		}
		s.ImagesCommitted(of(events.StarGiven{}))
		if woken() {
			t.Error("a star makes it look for images that have changed")
		}
		for _, c := range []projections.Commit{of(events.ImageTagged{}), of(events.TagRestored{}), {}} {
			s.ImagesCommitted(c)
			s.ImagesCommitted(c)
			if !woken() || woken() {
				t.Errorf("it does not look once after %v", c)
			}
		}
	})
}

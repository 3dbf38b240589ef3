package builder

import (
	"context"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/queue"
)

// A build with hooks is given back by a builder that runs none, and waits for one that
// does, with that as its reason, also after a restart of the hub. It counts for nothing:
// the next attempt is an ordinary one.
func TestHooksWaitForABuilder(t *testing.T) {
	w := newWorld(t)
	w.driver.runs(func(context.Context, driver.Spec, func(driver.Event)) (driver.Result, error) {
		return driver.Result{}, driver.Failuref(driver.NoHooks, "the repository has hooks/build")
	})
	w.queue(20, "c1", rule("base"))
	for range 2 {
		w.stop()
		w.start()
		// until its reason is known, and then for as long as the queue is looked through again
		var p string
		for end := time.Now().Add(30 * time.Second); !strings.Contains(p, "no-hooks"); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it waits because of %s", p)
			}
			b, err := w.Read.Build(t.Context(), id(20))
			check(t, err)
			places, err := w.places(t.Context())
			check(t, err)
			if place := places[id(20)]; place != nil && b.State == builds.Waiting {
				p = string(place.Reason) + ": " + place.Text
			}
		}
		if !strings.Contains(p, "--builder-hooks on") {
			t.Errorf("the reason is %s", p)
		}
		check(t, w.lookThrough(t.Context()))
		if made := w.driver.specs(); len(made) != 1 {
			t.Fatalf("it was tried %d times by a builder without hooks", len(made))
		}
	}
	w.driver.runs(nil)
	w.Local.Offer.Hooks = true
	w.start()
	if b := w.await(20, builds.Pushed); b.Epoch != 2 || b.Losses != 0 {
		t.Errorf("it is %+v", b)
	}
	last, err := w.log.Last(t.Context(), events.BuildSubject(id(acme), id(20)))
	check(t, err)
	if last.Type() != "build.pushed.v1" {
		t.Errorf("its last event is %s", last.Type())
	}
}

// What is made again goes to no builder that runs no hooks, once one has found that it has
// some, or has run them.
func TestRetryOfHooksWaits(t *testing.T) {
	for what, found := range map[string]events.Payload{
		"given back": events.BuildLost{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1, Released: true, Lacks: events.LacksHooks},
		"a step":     events.BuildStepEnded{Namespace: id(acme), Build: id(20), Epoch: 1, Step: 2, Kind: events.StepBuild, Name: "hooks/build", Hooks: true},
		"nothing":    nil,
	} {
		w := newWorld(t)
		w.queue(20, "c1", rule("base"))
		w.record(events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1})
		if found != nil {
			w.record(found)
		}
		w.record(events.BuildFinished{Namespace: id(acme), Build: id(20), Epoch: 1, Outcome: events.BuildCancelled})
		for n := 20; n < 22; n++ { // a retry, and one of that
			b, err := w.Read.Build(t.Context(), id(n))
			check(t, err)
			w.record(againAs(id(n+1), b))
		}
		b, err := w.Read.Build(t.Context(), id(22))
		check(t, err)
		places, err := w.order(t.Context(), []builds.Build{*b}, nil, []queue.Builder{{Name: "local", Places: 1}})
		check(t, err)
		if want := map[bool]queue.Reason{true: queue.NoHooks, false: queue.Next}[found != nil]; places[0].Reason != want {
			t.Errorf("%s: it is %s, not %s", what, places[0].Reason, want)
		}
	}
}

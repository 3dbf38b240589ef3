package builder

import (
	"context"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
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
		w.hooks.known = nil
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

package builder

import (
	"context"
	"errors"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/build"
)

// A hostile builder reaches only the builds that it has: not those of others, not its own
// by an older epoch, not those that wait or have ended, and it cannot tell them from
// builds that are not there.
func TestHostileBuilder(t *testing.T) {
	w := newWorld(t)
	w.Token = func(context.Context, string, string, string, bool) (string, time.Time, error) {
		return "secret", time.Now(), nil
	}
	for n := 20; n < 24; n++ {
		w.queue(n, "c1", rule("base"))
	}
	claimed := func(n int, builder string, epoch int) events.BuildClaimed {
		return events.BuildClaimed{Namespace: id(acme), Build: id(n), Builder: builder, Epoch: epoch}
	}
	w.record(claimed(20, "victim", 1), claimed(21, "hostile", 1), events.BuildLost{Namespace: id(acme), Build: id(21), Builder: "hostile", Epoch: 1}, claimed(21, "hostile", 2),
		claimed(22, "hostile", 1), events.BuildFinished{Namespace: id(acme), Build: id(22), Epoch: 1, Outcome: events.BuildCancelled})
	before, err := w.log.LastSeq(t.Context())
	check(t, err)
	hostile := attempts{w.Builder, "hostile", ""}
	ask := func(c worker.Claim) map[string]error {
		_, _, token := hostile.Token(t.Context(), c, "acme/app", true)
		return map[string]error{"token": token,
			"log":     hostile.Log(t.Context(), c, 1, []byte("x")),
			"step":    hostile.Say(t.Context(), c, events.BuildStepEnded{Namespace: id(acme), Build: c.Build, Epoch: c.Epoch, Step: 1, Kind: events.StepFetch}),
			"end":     hostile.Say(t.Context(), c, events.BuildFinished{Namespace: id(acme), Build: c.Build, Epoch: c.Epoch, Outcome: events.BuildFailed}),
			"release": hostile.Say(t.Context(), c, events.BuildLost{Namespace: id(acme), Build: c.Build, Epoch: c.Epoch, Released: true})}
	}
	for what, c := range map[string]worker.Claim{
		"of another builder": {Build: id(20), Epoch: 1},
		"an older epoch":     {Build: id(21), Epoch: 1},
		"an epoch to come":   {Build: id(21), Epoch: 3},
		"one that waits":     {Build: id(23), Epoch: 0},
		"one that is not":    {Build: id(29), Epoch: 1},
		"no id":              {Build: "../x", Epoch: 1},
	} {
		for did, err := range ask(c) {
			if !errors.Is(err, build.ErrEpoch) || err.Error() != build.ErrEpoch.Error() {
				t.Errorf("%s of %s: %v", did, what, err)
			}
		}
	}
	// Of one that has ended only the last words are kept.
	for did, err := range ask(worker.Claim{Build: id(22), Epoch: 1}) {
		if did == "log" && err != nil || did != "log" && !errors.Is(err, build.ErrEnded) {
			t.Errorf("%s of one that has ended: %v", did, err)
		}
	}
	own := worker.Claim{Build: id(21), Epoch: 2}
	if err := hostile.Say(t.Context(), own, events.BuildFinished{Namespace: id(acme), Build: id(21), Epoch: 2, Outcome: events.BuildSucceeded}); !errors.Is(err, build.ErrReport) {
		t.Errorf("a build succeeds without an image: %v", err)
	}
	if err := hostile.Say(t.Context(), own, events.BuildFinished{Namespace: id(acme), Build: id(20), Epoch: 1, Outcome: events.BuildFailed}); !errors.Is(err, build.ErrReport) {
		t.Errorf("another build is ended by way of its own: %v", err)
	}
	if last, err := w.log.LastSeq(t.Context()); err != nil || last != before {
		t.Errorf("%d events were appended, %v", last-before, err)
	}
	if gone, err := hostile.Renew(t.Context(), anOffer, []worker.Claim{{Build: id(20), Epoch: 1}}); err != nil || len(gone) != 0 {
		t.Errorf("before the queue was looked at: %v, %v", gone, err)
	}
	check(t, w.lookThrough(t.Context()))
	if gone, err := hostile.Renew(t.Context(), anOffer, []worker.Claim{{Build: id(20), Epoch: 1}, own}); err != nil || len(gone) != 1 || gone[0].Build != id(20) {
		t.Errorf("of what it says it has, gone are %v, %v", gone, err)
	}
	// What it says of its own build is bounded.
	if !w.stations.charge("hostile", own, 0, maxWritten) || !errors.Is(hostile.Log(t.Context(), own, 1, []byte("x")), errTooMuch) {
		t.Error("its log has no bound")
	}
	if !w.stations.charge("victim", worker.Claim{Build: id(20), Epoch: 1}, maxSaid, 0) || w.stations.charge("victim", worker.Claim{Build: id(20), Epoch: 1}, 1, 0) {
		t.Error("its events have no bound")
	}
}

package builder

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
)

// A builder whose clock is an hour off builds as any other: what it says of times is shown
// as that of its steps, and decides nothing. How long a step took is right, and the
// provenance has the hub's own times.
func TestClockSkew(t *testing.T) {
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		w := newWorld(t)
		began := time.Now().Truncate(time.Second) // as the provenance has it
		w.driver.runs(func(_ context.Context, _ driver.Spec, emit func(driver.Event)) (driver.Result, error) {
			now := time.Now().Add(off)
			emit(driver.Event{Kind: driver.Began, Step: 1, Name: "[1/1] COPY . /", Time: now})
			emit(driver.Event{Kind: driver.Log, Step: 1, Stream: driver.Stdout, Data: []byte("hello\n"), Time: now})
			emit(driver.Event{Kind: driver.Ended, Step: 1, Time: now.Add(3 * time.Second)})
			return driver.Result{Digest: madeDigest}, nil
		})
		w.queue(20, "c1", rule("base"))
		w.start()
		b := w.await(20, builds.Pushed)
		if b.Epoch != 1 || b.Losses != 0 {
			t.Errorf("by a clock that is %s off it came to attempt %d", off, b.Epoch)
		}
		steps, err := w.Read.Steps(t.Context(), id(20))
		check(t, err)
		last := steps[len(steps)-1]
		if d := last.Began.Sub(began) - off; last.Took != 3*time.Second || d < 0 || d > time.Minute {
			t.Errorf("%s off: the step began at %s and took %s", off, last.Began, last.Took)
		}
		end, err := w.publish(t.Context(), b)
		check(t, err)
		if end.Outcome != events.BuildSucceeded || len(w.tags.attached) != 1 {
			t.Fatalf("it ended as %+v", end)
		}
		var bundle struct{ DSSEEnvelope struct{ Payload []byte } }
		check(t, json.Unmarshal(w.tags.attached[0].Content, &bundle))
		var said struct {
			Predicate struct {
				RunDetails struct {
					Metadata struct{ StartedOn, FinishedOn time.Time }
				}
			}
		}
		check(t, json.Unmarshal(bundle.DSSEEnvelope.Payload, &said))
		if at := said.Predicate.RunDetails.Metadata; at.StartedOn.Before(began) || at.FinishedOn.Before(at.StartedOn) || at.FinishedOn.After(time.Now()) {
			t.Errorf("%s off: the provenance says it was built from %s to %s", off, at.StartedOn, at.FinishedOn)
		}
		w.stop()
	}
}

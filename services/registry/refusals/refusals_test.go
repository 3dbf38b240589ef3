package refusals

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hubledger/events"
)

// A kind of refusal is one event, at most once an hour; later ones are counted until then.
func TestCounter(t *testing.T) {
	var c Counter
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	push := events.RefusalsCounted{Account: "alice", Repository: "app", Action: "push", Reason: "rights"}
	var got []events.RefusalsCounted
	write := func() {
		t.Helper()
		got = nil
		if err := c.Write(t.Context(), now, func(_ context.Context, e events.RefusalsCounted) error {
			got = append(got, e)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	write()
	c.Count(push, now)
	c.Count(push, now.Add(time.Second))
	broken := errors.New("the log is broken")
	if err := c.Write(t.Context(), now, func(context.Context, events.RefusalsCounted) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	now = now.Add(time.Minute)
	if write(); len(got) != 1 || got[0].Attempts != 2 || got[0].Until.Sub(got[0].From) != time.Second {
		t.Errorf("%+v", got)
	}
	c.Count(push, now)
	if write(); got != nil {
		t.Errorf("a second event in the same hour: %+v", got)
	}
	now = now.Add(time.Hour)
	c.Count(push, now)
	if write(); len(got) != 1 || got[0].Attempts != 2 {
		t.Errorf("%+v", got)
	}
	now = now.Add(2 * time.Hour)
	if write(); got != nil || len(c.written)+len(c.of)+len(c.counts) != 0 {
		t.Errorf("something is left: %+v %+v", got, c.of)
	}
}

// One account cannot take the place of others, and no number of them fills the log.
func TestBounds(t *testing.T) {
	var c Counter
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for n := range 1000 {
		c.Count(events.RefusalsCounted{Account: "greedy", Repository: fmt.Sprint(n)}, now)
	}
	for n := range 3 * maxKinds {
		c.Count(events.RefusalsCounted{Account: fmt.Sprint(n)}, now)
	}
	written, greedy := 0, 0
	for range 200 {
		here := 0
		if err := c.Write(t.Context(), now, func(_ context.Context, e events.RefusalsCounted) error {
			here++
			if e.Account == "greedy" {
				greedy++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if written += here; here > maxAtOnce {
			t.Fatalf("%d events at once", here)
		}
		c.Count(events.RefusalsCounted{Account: "greedy", Repository: "more"}, now)
	}
	if greedy != maxOf || written > maxKinds {
		t.Errorf("%d events, %d of one account", written, greedy)
	}
}

package streams_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/streams"
)

// A durable consumer goes on by itself after its connection was lost.
func TestDeliverSurvivesLostConnections(t *testing.T) {
	t.Parallel()
	l, p, _ := remoteLog(t)
	ctx, stop := context.WithCancel(t.Context())
	ready, got, ended := make(chan struct{}), make(chan string, 100), make(chan error, 1)
	go func() {
		c := streams.DeliverConfig{Name: "test", Subjects: []string{"evt.*.star.*"}}
		ended <- l.Deliver(ctx, c, func() { close(ready) }, func(d *streams.Delivery) {
			got <- d.Event.ID()
			d.Ack()
		})
	}()
	<-ready
	var want []string
	for i := range 4 {
		e, err := events.New(events.StarGiven{Namespace: "n", Repository: "r", User: fmt.Sprint(i)},
			events.Meta{ID: fmt.Sprint("event-", i), Source: "/test", Actor: "tester"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(ctx, e, events.AnySeq); err != nil {
			t.Fatal(err)
		}
		want = append(want, e.ID())
		p.cut()
	}
	// Acknowledgements may be lost: an event comes again then, not out of order.
	var seen []string
	for len(seen) < len(want) {
		select {
		case id := <-got:
			if !slices.Contains(seen, id) {
				seen = append(seen, id)
			}
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-time.After(time.Minute):
			t.Fatalf("delivered %q, not %q", seen, want)
		}
	}
	if !slices.Equal(seen, want) {
		t.Errorf("delivered %q, want %q", seen, want)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

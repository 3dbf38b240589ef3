package streams_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// TestClusterDecidesRaces shows both conflict codes: on a replicated stream a
// write that meets another in flight is told so (10164) and tried again.
func TestClusterDecidesRaces(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("three servers take a while to agree: set HUBLEDGER_SOAK=1")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	urls := streamtest.Cluster(t)
	l, err := streams.Open(ctx, streams.Config{Dir: t.TempDir(), URL: urls, MaxBytes: 1 << 30, Logger: quiet("").Logger})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(ctx)
	for round := range 50 {
		var wg sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wg.Go(func() {
				_, results[i] = l.Append(ctx, newEvent(t, fmt.Sprint("id-", round, "-", i), fmt.Sprint("name-", round)), 0)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if !errors.Is(err, events.ErrConflict) {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d creations succeeded", round, won)
		}
	}
	if n, err := l.LastSeq(ctx); err != nil || n != 50 {
		t.Errorf("the log has %d events, %v", n, err)
	}
	if err := (&streams.Guard{Log: l, Journal: journalOf(t, l, 50)}).Check(ctx); err != nil {
		t.Error(err)
	}
}

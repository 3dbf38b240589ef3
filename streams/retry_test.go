package streams

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A start that waits for something that may never come says so to the operator,
// now and then, and not to clients.
func TestLongWaitIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		shown := map[string]bool{}
		c := Config{URL: "nats://192.0.2.1", Progress: func(msg string, _, _ int64) { shown[msg] = true }}.withDefaults()
		l := &Log{config: c, log: slog.New(slog.NewTextHandler(&logged, nil))}
		full := &jetstream.APIError{Code: 500, ErrorCode: 10023, Description: "insufficient resources"}
		wait := func(d time.Duration) int {
			logged.Reset()
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			if err := l.WhileStarting(ctx, func() error { return full }); err == nil {
				t.Error("it ended without an error")
			}
			return strings.Count(logged.String(), full.Description)
		}
		if n := wait(2 * time.Second); n != 0 {
			t.Errorf("a short wait is logged %d times", n)
		}
		if n := wait(10 * time.Minute); n < 2 || n > 11 {
			t.Errorf("in 10 minutes it is logged %d times: %s", n, logged.String())
		}
		if len(shown) != 1 || !shown["waiting for the NATS servers"] {
			t.Errorf("clients see %v", shown)
		}
	})
}

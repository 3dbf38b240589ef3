// Package streamtest opens real logs for tests.
package streamtest

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"hubledger/streams"
)

// Open opens the log of a data directory, dir or a temporary one when it is
// empty, and closes it when the test ends.
func Open(t testing.TB, dir string) *streams.Log {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	return OpenConfig(t, streams.Config{Dir: dir})
}

// OpenConfig is Open with every choice. The log is quiet unless a logger is given.
func OpenConfig(t testing.TB, c streams.Config) *streams.Log {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	l, err := streams.Open(context.Background(), c)
	if err != nil {
		t.Fatalf("open the log: %v", err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Errorf("close the log: %v", err)
		}
	})
	return l
}

package streamtest

import (
	"io"
	"log/slog"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/restore"
)

// Redacted opens a log that was restored from another one without what the events of some
// sequences said. It closes when the test ends.
func Redacted(t testing.TB, log *streams.Log, redact ...uint64) *streams.Log {
	t.Helper()
	last, err := log.LastSeq(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := restore.Config{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	_, err = restore.Run(t.Context(), c, restore.Copy{Generation: log.Generation(), Entries: func(yield func(restore.Entry, error) bool) {
		for seq := uint64(1); seq <= last; seq++ {
			e, err := log.Get(t.Context(), seq)
			if err != nil {
				yield(restore.Entry{}, err)
				return
			}
			entry := restore.Entry{Event: *e, Leaf: events.LeafOf(e)}
			if slices.Contains(redact, seq) {
				entry.Event = events.Redact(e)
			}
			if !yield(entry, nil) {
				return
			}
		}
	}})
	if err != nil {
		t.Fatalf("restore the log: %v", err)
	}
	return Open(t, c.Dir)
}

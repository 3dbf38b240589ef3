package cmd

import (
	"context"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/bulk"
	"hubledger/projections/images"
	"hubledger/projections/projectiontest"
	"hubledger/services/server"
	"hubledger/streams"
	"hubledger/streams/restore"
)

// imageCount is how many pushes the log of the benchmarks has: HUBLEDGER_IMAGES, or 20,000.
func imageCount() uint64 {
	n, err := strconv.ParseUint(os.Getenv("HUBLEDGER_IMAGES"), 10, 64)
	if err != nil {
		n = 20_000
	}
	return n
}

// filled makes a log of that many pushes as projectiontest.Image has them: 4
// blobs each, 2 of them shared, in 1,000 repositories.
func filled(b *testing.B, dir string, n uint64) {
	b.Helper()
	copied := iter.Seq2[restore.Entry, error](func(yield func(restore.Entry, error) bool) {
		for seq := uint64(1); seq <= n; seq++ {
			e := projectiontest.Image(seq)
			if !yield(restore.Entry{Event: e, Leaf: events.LeafOf(&e)}, nil) {
				return
			}
		}
	})
	if _, err := restore.Run(b.Context(), restore.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}, restore.Copy{Entries: copied}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRebuildFromLog measures the time from a log on disk to a live images
// projection, on either store, and its ratio to a bare load of the same rows.
func BenchmarkRebuildFromLog(b *testing.B) {
	dir := b.TempDir()
	filled(b, dir, imageCount())
	log, err := streams.Open(b.Context(), streams.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close(context.Background())
	for _, kind := range projectiontest.Kinds(&postgres) {
		b.Run(kind.Name, func(b *testing.B) {
			projectiontest.CompareRebuild(b, bulk.Config{Projection: &images.Projection, Storage: kind.New(b),
				Source: log, Generation: log.Generation(), Logger: projectiontest.Quiet})
		})
	}
}

// BenchmarkMemory starts a hub on a log of that many tags and reports the resident
// memory of the process, with the Go heap collected.
func BenchmarkMemory(b *testing.B) {
	dir := b.TempDir()
	n := imageCount()
	filled(b, dir, n)
	c := server.Config{Data: dir, SecretsKeyFile: filepath.Join(b.TempDir(), "key"), LeaseTerm: time.Hour, UndeleteWindow: time.Hour, Logger: slog.New(slog.DiscardHandler), Progress: func(string, int64, int64) {}, Reserve: -1}
	first, err := server.Open(b.Context(), c) // builds the projections
	if err != nil {
		b.Fatal(err)
	}
	if err := first.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h, err := server.Open(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/float64(n), "heap-B/tag")
		if err := h.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

package projections_test

import (
	"testing"

	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/projections/projectiontest"
)

func BenchmarkLive(b *testing.B) {
	for _, p := range storages {
		b.Run(p.Name, func(b *testing.B) {
			store := open(b, p.New(b), &images.Projection, projections.Options{})
			var log projectiontest.Log
			r, stop := start(b, store, &log, nil)
			defer stop()
			for i := uint64(1); b.Loop(); i++ {
				if err := r.Wait(b.Context(), log.Append(projectiontest.Image(i))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLatency(b *testing.B) {
	for _, p := range storages {
		b.Run(p.Name, func(b *testing.B) {
			store := open(b, p.New(b), projectiontest.Synthetic, projections.Options{})
			var log projectiontest.Log
			r, stop := start(b, store, &log, nil)
			defer stop()
			data := make([]byte, 1300)
			for i := 0; b.Loop(); i++ {
				var w []write
				for _, table := range []string{"history", "current", "counts", "latest", "held"} {
					w = append(w, write{Table: table, Key: int64(i)})
				}
				w = append(w, write{Table: "history", Key: int64(i + 1), Data: data}, write{Table: "held", Key: int64(i * 7)}, write{Table: "held", Key: int64(i * 13)})
				if err := r.Wait(b.Context(), log.Append(step{Writes: w}.Event("a"))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCatchUp is the way of a Runner that is behind: up to 500 events in
// a transaction.
func BenchmarkCatchUp(b *testing.B) {
	const n = 20_000
	for _, p := range storages {
		b.Run(p.Name, func(b *testing.B) {
			for b.Loop() {
				store := open(b, p.New(b), &images.Projection, projections.Options{})
				if err := projections.CatchUp(b.Context(), store, projectiontest.Images(n), n, quiet); err != nil {
					b.Fatal(err)
				}
				store.Close()
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

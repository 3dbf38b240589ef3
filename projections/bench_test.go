package projections_test

import (
	"os"
	"strconv"
	"testing"

	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/projections/projectiontest"
	"hubledger/projections/registry"
)

// images is how many pushes the rebuild benchmark reads: HUBLEDGER_IMAGES, or 20,000.
func images(b *testing.B) projectiontest.Images {
	n, err := strconv.Atoi(os.Getenv("HUBLEDGER_IMAGES"))
	if err != nil {
		n = 20_000
	}
	return projectiontest.Images(n)
}

func BenchmarkRebuild(b *testing.B) {
	n := images(b)
	for _, p := range places {
		for _, projection := range []*projections.Projection{&registry.Projection, &journal.Projection} {
			b.Run(p.name+"/"+projection.Name, func(b *testing.B) {
				place := p.make(b)
				for b.Loop() {
					cfg := projections.RebuildConfig{Projection: projection, Place: place, Source: n, Generation: "g1"}
					if err := projections.Rebuild(b.Context(), cfg, nil); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

func BenchmarkLive(b *testing.B) {
	for _, p := range places {
		b.Run(p.name, func(b *testing.B) {
			store := open(b, p.make(b), &registry.Projection, projections.Options{})
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

package bulk_test

import (
	"os"
	"strconv"
	"testing"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/projectiontest"
)

// imageCount is how many pushes the rebuild benchmark reads: HUBLEDGER_IMAGES, or 20,000.
func imageCount(b *testing.B) projectiontest.Images {
	n, err := strconv.Atoi(os.Getenv("HUBLEDGER_IMAGES"))
	if err != nil {
		n = 20_000
	}
	return projectiontest.Images(n)
}

func BenchmarkRebuild(b *testing.B) {
	n := imageCount(b)
	for _, p := range projectiontest.Kinds(&postgres) {
		for _, projection := range []*projections.Projection{&images.Projection, &journal.Projection} {
			b.Run(p.Name+"/"+projection.Name, func(b *testing.B) {
				storage := p.New(b)
				for b.Loop() {
					cfg := bulk.Config{Projection: projection, Storage: storage, Source: n, Generation: "g1"}
					if err := bulk.Rebuild(b.Context(), cfg, nil); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

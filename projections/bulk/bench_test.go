package bulk_test

import (
	"os"
	"strconv"
	"testing"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/pgstore"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
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
	for _, p := range []struct {
		name string
		make func(t testing.TB) projections.Storage
	}{
		{"sqlite", func(t testing.TB) projections.Storage { return sqlitestore.Dir(t.TempDir()) }},
		{"postgres", func(t testing.TB) projections.Storage { return pgstore.URL(postgres.URL(t)) }},
	} {
		for _, projection := range []*projections.Projection{&images.Projection, &journal.Projection} {
			b.Run(p.name+"/"+projection.Name, func(b *testing.B) {
				storage := p.make(b)
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

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
func imageCount() int {
	n, err := strconv.Atoi(os.Getenv("HUBLEDGER_IMAGES"))
	if err != nil {
		n = 20_000
	}
	return n
}

// BenchmarkRebuild is that of services/cmd with the events in memory.
func BenchmarkRebuild(b *testing.B) {
	log := &projectiontest.Log{}
	for seq := range uint64(imageCount()) {
		log.Append(projectiontest.Image(seq + 1))
	}
	for _, kind := range projectiontest.Kinds(&postgres) {
		for _, projection := range []*projections.Projection{&images.Projection, &journal.Projection} {
			b.Run(kind.Name+"/"+projection.Name, func(b *testing.B) {
				projectiontest.CompareRebuild(b, bulk.Config{Projection: projection, Storage: kind.New(b),
					Source: log, Generation: "g1", Logger: projectiontest.Quiet})
			})
		}
	}
}

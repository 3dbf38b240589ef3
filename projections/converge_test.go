package projections_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/projectiontest"
	"hubledger/projections/trail"
)

// rounds is how many random histories a test tries: more with HUBLEDGER_SOAK=long, and a
// quarter of that with another value.
func rounds(few, many int) int {
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
		return few
	case "long":
		return many
	}
	return max(few, many/4)
}

// converges checks one history on every store.
func converges(t *testing.T, p *projections.Projection, log projections.Source, rng *rand.Rand) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) { projectiontest.Converge(t, p, log, rng, storage) })
}

func TestSyntheticConverges(t *testing.T) {
	for range rounds(1, 50) {
		rng := projectiontest.Seed(t)
		converges(t, projectiontest.Synthetic, projectiontest.Steps(rng, 800), rng)
	}
}

func TestRegistryConverges(t *testing.T) {
	for range rounds(1, 50) {
		rng := projectiontest.Seed(t)
		converges(t, &images.Projection, projectiontest.RegistryEvents(rng, 300, 1), rng)
	}
}

func TestTrailConverges(t *testing.T) {
	rng := projectiontest.Seed(t)
	converges(t, &trail.Projection, projectiontest.RegistryEvents(rng, 150, 1), rng)
}

func TestJournalConverges(t *testing.T) {
	rng := projectiontest.Seed(t)
	converges(t, &journal.Projection, projectiontest.RegistryEvents(rng, 150, 1), rng)
}

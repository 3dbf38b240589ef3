package projections_test

import (
	"os"
	"testing"

	"hubledger/projections"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	if os.Getenv(killMe) != "" {
		victim()
		return
	}
	os.Exit(postgres.Main(m))
}

var (
	synthetic = projectiontest.Synthetic
	quiet     = projectiontest.Quiet
	open      = projectiontest.Open
	start     = projectiontest.Start
	dump      = projectiontest.Dump
)

// storages are those that every benchmark runs on.
var storages = projectiontest.Kinds(&postgres)

func onEveryStorage(t *testing.T, test func(t *testing.T, storage projections.Storage)) {
	projectiontest.OnEveryStorage(t, &postgres, test)
}

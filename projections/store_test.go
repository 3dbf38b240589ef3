package projections_test

import (
	"os"
	"testing"

	"hubledger/projections"
	"hubledger/projections/pgstore"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
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
var storages = []struct {
	name string
	make func(t testing.TB) projections.Storage
}{
	{"sqlite", func(t testing.TB) projections.Storage { return sqlitestore.Dir(t.TempDir()) }},
	{"postgres", func(t testing.TB) projections.Storage { return pgstore.URL(postgres.URL(t)) }},
}

func onEveryStorage(t *testing.T, test func(t *testing.T, storage projections.Storage)) {
	projectiontest.OnEveryStorage(t, &postgres, test)
}

package projectiontest

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"hubledger/projections"
	"hubledger/projections/pgstore"
	"hubledger/projections/pgtest"
	"hubledger/projections/sqlitestore"
)

// Quiet logs nothing.
var Quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// OnEveryStorage runs a test on both kinds of storage: on a new directory, and
// on a new database of the server.
func OnEveryStorage(t *testing.T, server *pgtest.Server, test func(t *testing.T, storage projections.Storage)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqlitestore.Dir(t.TempDir())) })
	t.Run("postgres", func(t *testing.T) { test(t, pgstore.URL(server.URL(t))) })
}

// Open opens a store until the test ends. Without a logger it is quiet, and
// without a generation the log's is "g1".
func Open(t testing.TB, storage projections.Storage, p *projections.Projection, o projections.Options) projections.Store {
	t.Helper()
	if o.Logger == nil {
		o.Logger = Quiet
	}
	if o.Generation == "" {
		o.Generation = "g1"
	}
	store, err := storage.Open(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// Start runs a runner until stop is called or the test ends. onCommit may be nil.
func Start(t testing.TB, store projections.Store, log projections.Source, onCommit func(*projections.Runner, projections.Commit)) (r *projections.Runner, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r = projections.NewRunner(projections.RunnerConfig{Store: store, Source: log, Logger: Quiet, OnCommit: func(c projections.Commit) {
		if onCommit != nil {
			onCommit(r, c)
		}
	}})
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
	}
	t.Cleanup(stop)
	return r, stop
}

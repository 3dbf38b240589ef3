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

// A Kind is one of the two kinds of storage; New makes an empty one.
type Kind struct {
	Name string
	New  func(t testing.TB) projections.Storage
}

// Kinds are both kinds of storage: a new directory, and a new database of the
// server.
func Kinds(server *pgtest.Server) []Kind {
	return []Kind{
		{"sqlite", func(t testing.TB) projections.Storage { return sqlitestore.Dir(t.TempDir()) }},
		{"postgres", func(t testing.TB) projections.Storage { return pgstore.URL(server.URL(t)) }},
	}
}

// OnEveryStorage runs a test on both kinds of storage.
func OnEveryStorage(t *testing.T, server *pgtest.Server, test func(t *testing.T, storage projections.Storage)) {
	for _, kind := range Kinds(server) {
		t.Run(kind.Name, func(t *testing.T) { test(t, kind.New(t)) })
	}
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

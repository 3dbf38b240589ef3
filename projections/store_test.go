package projections_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"testing"

	"hubledger/projections"
	"hubledger/projections/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) {
	if os.Getenv(killMe) != "" {
		victim()
		return
	}
	os.Exit(postgres.Main(m))
}

// places are the stores that every test runs on.
var places = []struct {
	name string
	make func(t testing.TB) projections.Place
}{
	{"sqlite", func(t testing.TB) projections.Place { return projections.SQLiteDir(t.TempDir()) }},
	{"postgres", func(t testing.TB) projections.Place { return projections.PostgresURL(postgres.URL(t)) }},
}

func onEveryStore(t *testing.T, test func(t *testing.T, place projections.Place)) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) { test(t, p.make(t)) })
	}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t testing.TB, place projections.Place, p *projections.Projection, o projections.Options) projections.Store {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet
	}
	if o.Generation == "" {
		o.Generation = "g1"
	}
	store, err := place.Open(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// start runs a runner until stop is called or the test ends.
func start(t testing.TB, store projections.Store, log projections.Source, onCommit func(*projections.Runner, projections.Commit)) (r *projections.Runner, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r = projections.NewRunner(projections.RunnerConfig{Store: store, Source: log, Logger: quiet, OnCommit: func(c projections.Commit) {
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

func dump(t testing.TB, store projections.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := projections.Dump(context.Background(), store, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

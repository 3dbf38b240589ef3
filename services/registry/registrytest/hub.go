// Package registrytest runs the registry on real parts for tests: an embedded
// log, the images projection, the blob store and the operational store in
// one directory, behind a real listener. All of it can be stopped and started
// again on what it left, and faults can be put between the parts.
package registrytest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/projections/pgstore"
	"hubledger/projections/sqlitestore"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/command"
	"hubledger/services/internal/operations"
	"hubledger/services/internal/service"
	"hubledger/services/registry"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/gc"
	"hubledger/services/registry/leases"
	"hubledger/services/registry/pulllimit"
	"hubledger/services/registry/pulls"
	"hubledger/streams"
)

// By is who tests act as.
var By = command.By{Source: "/test", Actor: "tester"}

// Config says what a Hub is made of. The zero value is what serve has, in a
// temporary directory.
type Config struct {
	Dir            string         // data directory; temporary when empty
	Postgres       string         // database for projections and leases; SQLite when empty
	LeaseTerm      time.Duration  // as in registry.Config
	UndeleteWindow time.Duration  // as in registry.Config
	Reserve        int64          // as in blobs.Config, but 0 is none
	Blobs          registry.Blobs // where blobs are; the blob store in Dir when nil
	FS             blobs.FS       // below the blob store; the operating system's when nil
	SyncAbove      int64          // as in blobs.Config
	MaxPending     int            // as in blobs.Config
	// Gate decides who may do what; an open one when nil.
	Gate *Gate
	// Quotas, PullLimits and DefaultVisibility are as in registry.Config.
	Quotas            registry.Quotas
	PullLimits        pulllimit.Config
	DefaultVisibility string
	// MaxUploads is as in registry.Config, but 0 is no limit.
	MaxUploads int
	// Log, when not nil, stands between the registry and its log.
	Log    func(registry.Log) registry.Log
	Logger *slog.Logger // quiet when nil
}

// A Hub is a registry that runs, with its parts.
type Hub struct {
	Config
	T        testing.TB
	URL      string // such as http://127.0.0.1:40213
	Log      *streams.Log
	Store    projections.Store
	Runner   *projections.Runner
	Blobs    *blobs.Store
	Ops      *operations.Store
	Leases   *leases.Store
	Pulls    *pulls.Store
	Registry *registry.Registry
	Handler  http.Handler     // serves the registry
	Metrics  registry.Metrics // over all restarts

	stores registry.Stores
	config registry.Config
	server *http.Server
	stop   context.CancelFunc
	work   sync.WaitGroup
}

// Value is what a counter has counted.
func Value(t testing.TB, c prometheus.Counter) int64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return int64(m.GetCounter().GetValue())
}

// Start runs a hub and ends it with the test.
func Start(t testing.TB, c Config) *Hub {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Gate == nil {
		c.Gate = &Gate{}
	}
	c.Reserve = cmp.Or(c.Reserve, -1)
	h := &Hub{Config: c, T: t, Metrics: registry.NewMetrics()}
	h.Open()
	t.Cleanup(func() { h.Close() })
	return h
}

// Restart closes everything and opens it again on the same directory, behind
// another port.
func (h *Hub) Restart() {
	h.T.Helper()
	h.Close()
	h.Open()
}

// Open starts what Close ended.
func (h *Hub) Open() {
	h.T.Helper()
	ctx := context.Background()
	var err error
	fatal := func(what string) {
		h.T.Helper()
		if err != nil {
			h.T.Fatalf("%s: %v", what, err)
		}
	}
	h.Log, err = streams.Open(ctx, streams.Config{Dir: h.Dir, Logger: h.Logger})
	fatal("open the log")
	h.Ops, err = operations.Open(ctx, operations.Config{File: h.operations(), PostgresURL: h.Postgres})
	fatal("open the operational store")
	h.stores, err = registry.OpenStores(ctx, h.Ops, &blobs.Config{Dir: filepath.Join(h.Dir, "registry"), FS: h.FS, Reserve: h.Reserve,
		SyncAbove: h.SyncAbove, MaxPending: h.MaxPending, Log: h.Logger})
	fatal("open the registry's stores")
	h.Leases, h.Pulls, h.Blobs = h.stores.Leases, h.stores.Pulls, h.stores.Blobs
	h.Store, err = h.Place().Open(ctx, &images.Projection, projections.Options{Generation: h.Log.Generation(), Logger: h.Logger})
	fatal("open the projection")
	h.run(ctx)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	fatal("listen")
	h.URL = "http://" + listener.Addr().String()
	router, err := service.NewRouter([]service.Service{h.Registry.Service()}, nil)
	fatal("make the router")
	h.Handler = router
	server := &http.Server{Handler: router, ErrorLog: slog.NewLogLogger(h.Logger.Handler(), slog.LevelDebug)}
	h.server = server
	h.work.Go(func() { server.Serve(listener) })
}

// run makes the registry and lets its projection follow the log.
func (h *Hub) run(ctx context.Context) {
	h.T.Helper()
	var log registry.Log = h.Log
	if h.Config.Log != nil {
		log = h.Config.Log(log)
	}
	h.Runner = projections.NewRunner(projections.RunnerConfig{Store: h.Store, Source: h.Log, Logger: h.Logger,
		OnCommit: func(c projections.Commit) { h.Registry.Committed(c, h.Runner.HasParked()) }})
	h.config = registry.Config{Log: log, View: h.Runner, Images: images.Reader{DB: h.Store.DB()}, Blobs: cmp.Or[registry.Blobs](h.Config.Blobs, h.Blobs),
		Leases: h.Leases, Pulls: h.Pulls, Times: asof.Log{End: h.Log, Times: logTimes{h}, Views: []command.Follower{h.Runner}}, Access: h.Gate, Rights: h.Gate, Quotas: h.Quotas, PullLimits: h.PullLimits,
		DefaultVisibility: h.DefaultVisibility, MaxUploads: cmp.Or(h.MaxUploads, math.MaxInt), Logger: h.Logger, LeaseTerm: h.LeaseTerm, UndeleteWindow: h.UndeleteWindow,
		Metrics: h.Metrics}
	h.Registry = registry.New(h.config)
	running, stop := context.WithCancel(ctx)
	h.stop = stop
	runner := h.Runner
	h.work.Go(func() { runner.Run(running) })
	last, err := h.Log.LastSeq(ctx)
	if err == nil {
		err = h.Runner.Wait(ctx, last)
	}
	if err != nil {
		h.T.Fatalf("catch up: %v", err)
	}
}

// Close ends everything in the order in which serve does. Closing again does nothing.
func (h *Hub) Close() {
	h.T.Helper()
	if err := h.Stop(); err != nil {
		h.T.Errorf("close: %v", err)
	}
}

// Stop is Close for a hub whose parts may be broken.
func (h *Hub) Stop() error {
	if h.server == nil {
		return nil
	}
	h.server.Close()
	h.server = nil
	h.stop()
	h.work.Wait()
	return errors.Join(h.Store.Close(), h.stores.Close(), h.Ops.Close(), h.Log.Close(context.Background()))
}

// Collector collects on the same parts as if every lease term had passed: blobs
// without a lease and without an image are removed at once.
func (h *Hub) Collector() *gc.Collector {
	c := h.config
	c.LeaseTerm = time.Nanosecond
	return registry.New(c).GC
}

// EndLeases ends every lease of these repositories.
func (h *Hub) EndLeases(names ...string) {
	h.T.Helper()
	for _, name := range names {
		if err := h.Leases.DropRepository(context.Background(), name); err != nil {
			h.T.Fatal(err)
		}
	}
}

// Place is where the projection is.
func (h *Hub) Place() projections.Storage {
	if h.Postgres != "" {
		return pgstore.URL(h.Postgres)
	}
	return sqlitestore.Dir(filepath.Join(h.Dir, "projections"))
}

func (h *Hub) operations() string { return filepath.Join(h.Dir, operations.FileName) }

// LastSeq is that of the log.
func (h *Hub) LastSeq() uint64 {
	h.T.Helper()
	last, err := h.Log.LastSeq(context.Background())
	if err != nil {
		h.T.Fatal(err)
	}
	return last
}

// Events is the whole log.
func (h *Hub) Events() []events.Event {
	h.T.Helper()
	var list []events.Event
	for seq := uint64(1); seq <= h.LastSeq(); seq++ {
		e, err := h.Log.Get(context.Background(), seq)
		if err != nil {
			h.T.Fatal(err)
		}
		list = append(list, *e)
	}
	return list
}

// logTimes finds events by their times by reading all of the log.
type logTimes struct{ h *Hub }

// At implements asof.Times.
func (l logTimes) At(_ context.Context, t time.Time) (uint64, error) {
	all := l.h.Events()
	for k := range all {
		if !all[k].Time().Before(t) {
			return uint64(k) + 1, nil
		}
	}
	return uint64(len(all)) + 1, nil
}

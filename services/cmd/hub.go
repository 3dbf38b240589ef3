package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	hubapi "hubledger/services/api"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/operations"
	"hubledger/services/internal/process"
	"hubledger/services/registry"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
	"hubledger/services/registry/pulls"
	"hubledger/streams"
)

// hubConfig is what serve was told.
type hubConfig struct {
	Data              string
	NATSURL           string
	PostgresURL       string
	Public            *url.URL // by which clients reach the hub; nil: as each request says
	SecretsKeyFile    string
	AdminPassword     string // the first administrator's; empty: one is made
	DefaultVisibility string
	PullLimits        registry.PullLimits
	LeaseTerm         time.Duration
	UndeleteWindow    time.Duration
	GCInterval        time.Duration
	CleanupInterval   time.Duration
	Reserve           int64 // bytes the disk keeps free; 0 is the default rule
	Logger            *slog.Logger
	Progress          func(what string, done, total int64) // a long start
}

// allProjections is every read model that the hub keeps up.
var allProjections = []*projections.Projection{&accounts.Projection, &images.Projection, &catalog.Projection, &journal.Projection}

// A hub is everything that runs, wired together. Parts are started in the
// order in which they are listed and stopped in the reverse order.
type hub struct {
	hubConfig
	blobs    *blobs.Store
	log      *streams.Log
	place    projections.Place
	ops      *operations.Store
	leases   *leases.Store
	pulls    *pulls.Store
	activity *activity.Store
	views    []*view
	rights   *access.Rights
	auth     *auth.Auth
	registry *registry.Registry
	api      *hubapi.API // for everybody
	operated *hubapi.API // the same for the operator, on the admin socket
	cleaner  *cleanup.Cleaner
	first    auth.First
	managers []*process.Runner
	metrics  *metrics
	guard    *streams.Guard
	ending   context.Context // ends when the hub is to stop
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// openHub starts all but the HTTP server and returns when every projection
// has caught up with the log.
func openHub(ctx context.Context, c hubConfig) (_ *hub, err error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if err := os.Chmod(c.Data, 0o700); err != nil {
		c.Logger.Warn("others may look into the data directory", "error", err)
	}
	h := &hub{hubConfig: c, metrics: newMetrics(), place: placeOf(c.Data, c.PostgresURL)}
	defer func() {
		if err != nil {
			h.close(context.WithoutCancel(ctx))
		}
	}()
	// The log comes first: it holds the lock on the data directory.
	if h.log, err = streams.Open(ctx, streams.Config{Dir: c.Data, URL: c.NATSURL, Logger: c.Logger,
		Reserve: h.hasSpace, Progress: c.Progress}); err != nil {
		return nil, err
	}
	if err := h.openStores(ctx); err != nil {
		return nil, err
	}
	if err := h.openServices(ctx); err != nil {
		return nil, err
	}
	if err := h.registry.FinishSweeps(ctx); err != nil {
		return nil, fmt.Errorf("finish what garbage collection was at: %w", err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.ending, h.stop = running, stop
	if err := h.checkLog(ctx, running); err != nil {
		return nil, err
	}
	if h.log.ReadOnly() == nil {
		if err := h.startViews(ctx, running); err != nil {
			return nil, err
		}
		h.startChores(running)
	}
	h.chore(func() { h.rights.Run(running) })
	if h.log.ReadOnly() == nil {
		if h.first, err = h.auth.Initialize(ctx); err != nil {
			return nil, err
		}
	}
	return h, h.awaitRights(ctx)
}

// hasSpace is the reserve as the log asks for it. Before the blob store is
// open nothing is appended.
func (h *hub) hasSpace() bool {
	if h.blobs == nil {
		return true
	}
	left, _, _, err := h.blobs.Space()
	return err != nil || left > 0
}

func (h *hub) openStores(ctx context.Context) (err error) {
	if err := h.openOperations(ctx); err != nil {
		return err
	}
	found, err := h.leases.Damaged(ctx)
	if err != nil {
		return err
	}
	var damaged []digest.Digest
	for _, d := range found {
		damaged = append(damaged, d.Digest)
	}
	h.blobs, err = blobs.Open(blobs.Config{Dir: filepath.Join(h.Data, "registry"), Log: h.Logger, Reserve: h.Reserve,
		Repaired: func(d digest.Digest) { h.repaired(d) }})
	if err != nil {
		return err
	}
	h.blobs.MarkDamaged(damaged...)
	for _, p := range allProjections {
		v, err := h.openView(ctx, p)
		if err != nil {
			return err
		}
		h.views = append(h.views, v)
	}
	return nil
}

// repaired is called when a push has replaced a damaged blob.
func (h *hub) repaired(d digest.Digest) {
	if err := h.leases.ClearDamaged(context.Background(), d); err != nil {
		h.Logger.Warn("a damaged blob was repaired, but is still listed", "digest", d, "error", err)
	}
}

// openOperations opens the operational store and what keeps its tables there.
func (h *hub) openOperations(ctx context.Context) (err error) {
	file := filepath.Join(h.Data, operations.FileName)
	if h.ops, err = operations.Open(ctx, operations.Config{File: file, PostgresURL: h.PostgresURL}); err != nil {
		return err
	}
	if h.leases, err = leases.Open(ctx, h.ops); err != nil {
		return err
	}
	if h.pulls, err = pulls.Open(ctx, h.ops); err != nil {
		return err
	}
	h.activity, err = activity.Open(ctx, h.ops)
	return err
}

func (h *hub) view(name string) *view {
	for _, v := range h.views {
		if v.projection.Name == name {
			return v
		}
	}
	return nil
}

// close stops what runs in the reverse order of its start: projections commit
// what they have, then the log ends.
func (h *hub) close(ctx context.Context) error {
	if h.stop != nil {
		h.stop()
	}
	h.running.Wait()
	var errs []error
	if h.registry != nil {
		errs = append(errs, h.registry.FlushPulls(ctx))
	}
	if h.auth != nil && h.log.ReadOnly() == nil {
		errs = append(errs, h.auth.Close(ctx))
	}
	for _, v := range h.views {
		errs = append(errs, v.close())
	}
	if h.blobs != nil {
		errs = append(errs, h.blobs.Close())
	}
	if h.activity != nil {
		errs = append(errs, h.activity.Close())
	}
	if h.leases != nil {
		errs = append(errs, h.leases.Close())
	}
	if h.ops != nil {
		errs = append(errs, h.ops.Close())
	}
	if h.log != nil {
		errs = append(errs, h.log.Close(ctx))
	}
	return errors.Join(errs...)
}

func (h *hub) stopping() bool { return h.ending != nil && h.ending.Err() != nil }

// chore runs until the hub stops.
func (h *hub) chore(run func()) { h.running.Go(run) }

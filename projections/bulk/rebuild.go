package bulk

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hubledger/events"
	"hubledger/projections"
)

// Config says what is built, from what and where.
type Config struct {
	Projection *projections.Projection
	Storage    projections.Storage // one that is a Loadable, as those of sqlitestore and pgstore are
	Build      projections.Build   // replaces a build of that name, which must be closed
	Source     projections.Source
	Generation string       // of the log, noted in the store
	Memory     int64        // bytes for sorting; 0 means 128 MiB. More than that goes to temporary files.
	Scratch    string       // their directory; "" is the target's own, or the system's for PostgreSQL
	Workers    int          // goroutines that apply; 0 means one a processor
	Logger     *slog.Logger // nil: slog.Default()
}

// Rebuild makes a build of a projection from the log's first event to the one
// that is its last when Rebuild begins. It does not go through SQL row by row: the
// operations of all events are sorted into runs, folded while the runs are
// merged, and loaded table by table. A Runner goes on from there.
//
// progress counts in events: applying them is the first half of the work and
// loading their rows the second. It is called by one goroutine at a time, and
// done never falls; nil is allowed. When Rebuild fails or the process dies,
// the build that was there before is unchanged.
func Rebuild(ctx context.Context, cfg Config, progress func(done, total uint64)) error {
	m, err := projections.NewModel(cfg.Projection)
	if err != nil {
		return err
	}
	storage, ok := cfg.Storage.(Loadable)
	if !ok {
		return fmt.Errorf("rebuild projection %s: %T cannot be loaded in bulk", m.Name, cfg.Storage)
	}
	if cfg.Memory == 0 {
		cfg.Memory = 128 << 20
	}
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Scratch == "" {
		cfg.Scratch = storage.Scratch()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	last, err := cfg.Source.LastSeq(ctx)
	if err != nil {
		return err
	}
	b := &rebuild{cfg: cfg, storage: storage, m: m, last: last, progress: progress}
	if err := b.run(ctx); err != nil {
		return fmt.Errorf("rebuild projection %s version %d: %w", m.Name, m.Version, err)
	}
	return nil
}

type rebuild struct {
	cfg      Config
	storage  Loadable
	m        *projections.Model
	last     uint64
	progress func(done, total uint64)
	mu       sync.Mutex
	reported uint64 // the last progress
	applied  atomic.Uint64
	loaded   atomic.Uint64 // operations
	ops      uint64        // operations in all
	runs     []*run
	parked   []projections.Parked
}

func (b *rebuild) run(ctx context.Context) error {
	began := time.Now()
	defer func() {
		for _, r := range b.runs {
			r.close()
		}
	}()
	l, err := b.storage.Load(ctx, b.m, b.cfg.Build)
	if err != nil {
		return err
	}
	defer l.Abort()
	if err := b.apply(ctx); err != nil {
		return err
	}
	sorted := time.Now()
	if err := b.loadTables(ctx, l); err != nil {
		return err
	}
	slices.SortFunc(b.parked, func(x, y projections.Parked) int { return cmp.Compare(x.Seq, y.Seq) })
	if err := l.Finish(ctx, b.cfg.Generation, b.last, b.parked); err != nil {
		return err
	}
	b.report(b.last)
	b.cfg.Logger.Info("projection rebuilt", "projection", b.m.Name, "version", b.m.Version, "position", b.last,
		"operations", b.ops, "runs", len(b.runs), "parked", len(b.parked),
		"applied in", sorted.Sub(began).Round(time.Millisecond), "loaded in", time.Since(sorted).Round(time.Millisecond))
	return nil
}

// apply reads the log and sorts what its events do. Each aggregate belongs to
// one worker, so that its events stay in order and one that is parked is known
// where its later events come.
func (b *rebuild) apply(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	workers := make([]*worker, b.cfg.Workers)
	inputs := make([]chan []events.Event, b.cfg.Workers)
	for i := range workers {
		workers[i] = newWorker(b, int(b.cfg.Memory)/b.cfg.Workers)
		inputs[i] = make(chan []events.Event, 4)
		g.Go(func() error { return workers[i].run(ctx, inputs[i]) })
	}
	g.Go(func() error {
		defer func() {
			for _, in := range inputs {
				close(in)
			}
		}()
		return b.read(ctx, inputs)
	})
	if err := g.Wait(); err != nil {
		return err
	}
	for _, w := range workers {
		b.runs = append(b.runs, w.runs...)
		b.parked = append(b.parked, w.parked...)
	}
	for _, r := range b.runs {
		for t := range b.m.Tables {
			b.ops += uint64(r.count(t))
		}
	}
	return nil
}

// loadTables merges the runs into the store, the table with most operations first.
func (b *rebuild) loadTables(ctx context.Context, l Loader) error {
	size := make([]int64, len(b.m.Tables))
	order := make([]int, len(b.m.Tables))
	for t := range order {
		order[t] = t
		for _, r := range b.runs {
			size[t] += r.count(t)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(size[y], size[x]) })
	buffer := min(256<<10, int(b.cfg.Memory)/l.Workers()/max(1, len(b.runs)))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.Workers())
	for _, t := range order {
		g.Go(func() error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			rows := streamRows(ctx, b.m, t, b.runs, buffer, b.addLoaded)
			if err := l.Table(ctx, t, rows); err != nil {
				return fmt.Errorf("table %s: %w", b.m.Tables[t].Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (b *rebuild) addLoaded(ops uint64) {
	done := b.loaded.Add(ops)
	b.report(b.last/2 + uint64(float64(b.last)/2*float64(done)/float64(max(b.ops, 1))))
}

func (b *rebuild) report(done uint64) {
	if b.progress == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if done = min(done, b.last); done > b.reported || done == b.last {
		b.reported = done
		b.progress(done, b.last)
	}
}

package projections

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hubledger/events"
)

// RebuildConfig says what is built, from what and where.
type RebuildConfig struct {
	Projection *Projection
	Place      Place
	Build      Build // replaces a build of that name, which must be closed
	Source     Source
	Generation string       // of the log, noted in the store
	Memory     int64        // bytes for sorting; 0 means 128 MiB. More than that goes to temporary files.
	Workers    int          // goroutines that apply; 0 means one a processor
	Logger     *slog.Logger // nil: slog.Default()
}

// Rebuild makes a build of a projection from the log's first event to the one
// that is its last when Rebuild begins. It does not go through SQL row by row: the
// operations of all events are sorted into runs, folded while the runs are
// merged, and loaded table by table. A Runner does the rest.
//
// Progress is told in events: applying them is the first half of the way and
// loading their rows the second. It is called from many goroutines, one at a
// time each 1,000 events or so; nil is allowed. When Rebuild fails or the
// process dies, what was there before still is.
func Rebuild(ctx context.Context, cfg RebuildConfig, progress func(done, total uint64)) error {
	m, err := compile(cfg.Projection)
	if err != nil {
		return err
	}
	if cfg.Memory == 0 {
		cfg.Memory = 128 << 20
	}
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	last, err := cfg.Source.LastSeq(ctx)
	if err != nil {
		return err
	}
	b := &rebuild{cfg: cfg, m: m, last: last, progress: progress}
	if err := b.run(ctx); err != nil {
		return fmt.Errorf("rebuild projection %s version %d: %w", m.Name, m.Version, err)
	}
	return nil
}

type rebuild struct {
	cfg      RebuildConfig
	m        *model
	last     uint64
	progress func(done, total uint64)
	applied  atomic.Uint64
	loaded   atomic.Uint64 // operations
	ops      uint64        // operations in all
	runs     []*run
	parked   []Parked
}

func (b *rebuild) run(ctx context.Context) error {
	began := time.Now()
	defer func() {
		for _, r := range b.runs {
			r.close()
		}
	}()
	l, err := b.cfg.Place.load(ctx, b.m, b.cfg.Build)
	if err != nil {
		return err
	}
	defer l.abort()
	if err := b.apply(ctx); err != nil {
		return err
	}
	sorted := time.Now()
	if err := b.loadTables(ctx, l); err != nil {
		return err
	}
	h := b.m.header(b.cfg.Generation)
	h.position = b.last
	slices.SortFunc(b.parked, func(x, y Parked) int { return cmp.Compare(x.Seq, y.Seq) })
	if err := l.finish(ctx, h, b.parked); err != nil {
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
	workers := make([]*applier, b.cfg.Workers)
	inputs := make([]chan []events.Event, b.cfg.Workers)
	for i := range workers {
		workers[i] = newApplier(b, int(b.cfg.Memory)/b.cfg.Workers)
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
		for t := range b.m.tables {
			b.ops += uint64(r.count(t))
		}
	}
	return nil
}

var errEnough = errors.New("the last event was read")

// read deals the log out to the workers by subject.
func (b *rebuild) read(ctx context.Context, inputs []chan []events.Event) error {
	const most, mostBytes = 256, 1 << 20
	if b.last == 0 {
		return nil
	}
	seed := maphash.MakeSeed()
	hands := make([][]events.Event, len(inputs))
	sizes := make([]int, len(inputs))
	deal := func(i int) error {
		select {
		case inputs[i] <- hands[i]:
			hands[i], sizes[i] = nil, 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var position uint64
	err := b.cfg.Source.Follow(ctx, 0, 500, func(batch []events.Event) error {
		for _, e := range batch {
			if e.Seq != position+1 {
				return fmt.Errorf("the log goes from event %d to %d", position, e.Seq)
			}
			i := int(maphash.String(seed, e.Subject) % uint64(len(inputs)))
			if hands[i] == nil {
				hands[i] = make([]events.Event, 0, most)
			}
			hands[i] = append(hands[i], e)
			sizes[i] += len(e.Data)
			if len(hands[i]) == most || sizes[i] > mostBytes {
				if err := deal(i); err != nil {
					return err
				}
			}
			if position = e.Seq; position == b.last {
				return errEnough
			}
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		return err
	}
	for i := range hands {
		if err := deal(i); err != nil {
			return err
		}
	}
	return nil
}

// loadTables merges the runs into the store, the table with most operations first.
func (b *rebuild) loadTables(ctx context.Context, l loader) error {
	size := make([]int64, len(b.m.tables))
	order := make([]int, len(b.m.tables))
	for t := range order {
		order[t] = t
		for _, r := range b.runs {
			size[t] += r.count(t)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(size[y], size[x]) })
	buffer := min(256<<10, int(b.cfg.Memory)/l.workers()/max(1, len(b.runs)))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.workers())
	for _, t := range order {
		g.Go(func() error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			rows := streamRows(ctx, &b.m.tables[t], t, b.runs, buffer, b.addLoaded)
			if err := l.table(ctx, t, rows); err != nil {
				return fmt.Errorf("table %s: %w", b.m.tables[t].Name, err)
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
	if b.progress != nil {
		b.progress(min(done, b.last), b.last)
	}
}

// An applier is one worker of the first half.
type applier struct {
	b       *rebuild
	sorter  *sorter
	ops     Ops
	parking parking
	parked  []Parked
	runs    []*run
}

func newApplier(b *rebuild, memory int) *applier {
	return &applier{b: b, sorter: newSorter(b.m, memory), parking: parking{}}
}

func (a *applier) run(ctx context.Context, input <-chan []events.Event) error {
	for batch := range input {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range batch {
			if err := a.apply(&batch[i]); err != nil {
				return err
			}
		}
		a.b.report(a.b.applied.Add(uint64(len(batch))) / 2)
	}
	if a.sorter.count == 0 {
		return nil
	}
	a.sorter.sort()
	a.runs = append(a.runs, &run{memory: a.sorter})
	return nil
}

func (a *applier) apply(e *events.Event) error {
	if p, skip := a.parking.skip(e); skip {
		a.parked = append(a.parked, p)
		return nil
	}
	a.ops.reset()
	if err := a.b.m.apply(e, &a.ops); err != nil {
		p := park(e, err)
		a.parking.load([]Parked{p})
		a.parked = append(a.parked, p)
		return nil
	}
	a.sorter.add(e.Seq, &a.ops)
	if !a.sorter.full() {
		return nil
	}
	a.sorter.sort()
	r, err := a.sorter.spill(a.b.cfg.Place.spill())
	if err != nil {
		return err
	}
	a.runs = append(a.runs, r)
	a.sorter.reset()
	return nil
}

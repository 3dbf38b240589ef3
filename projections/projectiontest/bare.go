package projectiontest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hubledger/projections"
	"hubledger/projections/bulk"
)

// CompareRebuild measures bulk.Prepare of cfg and, in turn with it, a bare load
// of the same rows into the same storage. It reports the median over the rounds of
// each time and of their ratio, and events/s of the rebuild.
//
// The bare load has all rows in memory, as cells, folded and ordered by key. It is
// everything that the store does in a rebuild: the build is begun, the tables are
// made, filled and indexed, as many at a time as the store allows, and the build is
// made durable and gets its name. The rebuild is that, and reading the log,
// decoding and applying its events, sorting, merging and folding what they do, and
// opening the build.
func CompareRebuild(b *testing.B, cfg bulk.Config) {
	events, err := cfg.Source.LastSeq(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	rows, err := keepRows(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	var rebuilds, bare, ratios []float64
	measure := func(fn func() error) float64 {
		runtime.GC() // of what the other one left
		began := time.Now()
		if err := fn(); err != nil {
			b.Fatal(err)
		}
		return time.Since(began).Seconds()
	}
	for b.Loop() {
		r := measure(func() error { return bulk.Prepare(b.Context(), cfg, nil) })
		l := measure(func() error { return rows.load(b.Context(), cfg) })
		rebuilds, bare, ratios = append(rebuilds, r), append(bare, l), append(ratios, r/l)
	}
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(1000*median(rebuilds), "rebuild-ms")
	b.ReportMetric(1000*median(bare), "bare-ms")
	b.ReportMetric(float64(events)/median(rebuilds), "events/s")
	b.ReportMetric(0, "ns/op") // that of both together says nothing
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// kept are the rows of a whole build. It is a storage that a rebuild can load, and
// a loader, whose other methods must not be called.
type kept struct {
	projections.Storage
	m          *projections.Model
	tables     []keptTable // in the order in which they were loaded
	generation string
	position   uint64
}

type keptTable struct {
	number int
	blocks [][]projections.Value
}

func keepRows(ctx context.Context, cfg bulk.Config) (*kept, error) {
	k := &kept{}
	cfg.Storage = k
	return k, bulk.Rebuild(ctx, cfg, nil)
}

func (k *kept) Load(_ context.Context, m *projections.Model, _ projections.Build) (bulk.Loader, error) {
	k.m = m
	return k, nil
}

func (k *kept) Scratch() string { return os.TempDir() }
func (k *kept) Workers() int    { return 1 }
func (k *kept) Abort()          {}

func (k *kept) Table(ctx context.Context, table int, rows bulk.Rows) error {
	t := keptTable{number: table}
	for {
		cells, err := rows.Next(ctx)
		if err != nil || len(cells) == 0 {
			k.tables = append(k.tables, t)
			return err
		}
		t.blocks = append(t.blocks, cloneCells(cells))
	}
}

// cloneCells copies cells, and what they hold into one piece of memory.
func cloneCells(cells []projections.Value) []projections.Value {
	size := 0
	for _, v := range cells {
		size += len(v.Raw())
	}
	arena := make([]byte, 0, size)
	own := make([]projections.Value, len(cells))
	for i, v := range cells {
		if own[i] = v; v.Kind() != projections.Int {
			at := len(arena)
			arena = append(arena, v.Raw()...)
			own[i] = projections.RawValue(v.Kind(), arena[at:len(arena):len(arena)])
		}
	}
	return own
}

func (k *kept) Finish(_ context.Context, generation string, position uint64, parked []projections.Parked) error {
	if len(parked) > 0 {
		return fmt.Errorf("event %d was parked: %s", parked[0].Seq, parked[0].Reason)
	}
	k.generation, k.position = generation, position
	return nil
}

// load is the bare load.
func (k *kept) load(ctx context.Context, cfg bulk.Config) error {
	l, err := cfg.Storage.(bulk.Loadable).Load(ctx, k.m, cfg.Build)
	if err != nil {
		return err
	}
	defer l.Abort()
	g, tables := errgroup.WithContext(ctx)
	g.SetLimit(l.Workers())
	for _, t := range k.tables {
		g.Go(func() error { return l.Table(tables, t.number, &keptRows{t.blocks}) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return l.Finish(ctx, k.generation, k.position, nil)
}

type keptRows struct{ blocks [][]projections.Value }

func (r *keptRows) Next(context.Context) (cells []projections.Value, err error) {
	if len(r.blocks) > 0 {
		cells, r.blocks = r.blocks[0], r.blocks[1:]
	}
	return cells, nil
}

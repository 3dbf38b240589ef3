package projections_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/projectiontest"
)

var synthetic = projectiontest.Synthetic

func rebuildNext(place projections.Place, p *projections.Projection, log projections.Source) projections.RebuildConfig {
	return projections.RebuildConfig{Projection: p, Place: place, Build: projections.Next, Source: log, Generation: "g1", Logger: quiet}
}

// TestSideBySide walks the whole way: prepare, compare, switch, and back.
func TestSideBySide(t *testing.T) {
	onEveryStore(t, func(t *testing.T, place projections.Place) {
		ctx := t.Context()
		rng := projectiontest.Seed(t)
		log := projectiontest.Steps(rng, 300)
		live := open(t, place, synthetic, projections.Options{})
		r, stop := start(t, live, log, nil)
		if err := r.Wait(ctx, 250); err != nil && !errors.Is(err, projections.ErrParked) {
			t.Fatal(err)
		}
		if err := projections.Prepare(ctx, rebuildNext(place, synthetic, log), nil); err != nil {
			t.Fatal(err)
		}
		// More happens while they are compared.
		log.Append(step{Writes: []write{{Table: "current", Key: 1, Text: "later"}}}.Event("fresh"))
		next := open(t, place, synthetic, projections.Options{Build: projections.Next})
		last, _ := log.LastSeq(ctx)
		if err := r.Wait(ctx, last); err != nil {
			t.Fatal(err)
		}
		c, err := projections.Compare(ctx, projections.CompareConfig{Live: projections.AnswersOf(live), Next: next, Source: log, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if c.Position != last || c.Answers == 0 || len(c.Differences) != 0 {
			t.Fatalf("comparison %+v, the log's last is %d", c, last)
		}
		if err := place.Switch(ctx, synthetic); !errors.Is(err, projections.ErrInUse) {
			t.Fatalf("switch under a running server: %v", err)
		}
		stop()
		want := dump(t, live)
		live.Close()
		next.Close()
		if err := place.Switch(ctx, synthetic); err != nil {
			t.Fatal(err)
		}
		builds := func() (list []projections.Build) {
			infos, err := place.List(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range infos {
				if i.Name != "synthetic" || i.Version != 1 || i.Position != last || i.Generation != "g1" || i.Size == 0 {
					t.Errorf("listed %+v", i)
				}
				list = append(list, i.Build)
			}
			slices.Sort(list)
			return list
		}
		if got := builds(); !slices.Equal(got, []projections.Build{projections.Live, projections.Prev}) {
			t.Errorf("after the switch there are %q", got)
		}
		live = open(t, place, synthetic, projections.Options{})
		projectiontest.Same(t, "after the switch", want, dump(t, live))
		live.Close()
		if err := place.Back(ctx, synthetic); err != nil {
			t.Fatal(err)
		}
		if got := builds(); !slices.Equal(got, []projections.Build{projections.Live, projections.Next}) {
			t.Errorf("after going back there are %q", got)
		}
		if err := place.Drop(ctx, "synthetic", 1, projections.Next); err != nil {
			t.Fatal(err)
		}
		if err := place.Switch(ctx, synthetic); !errors.Is(err, projections.ErrNoBuild) {
			t.Errorf("switch without a next build: %v", err)
		}
		if err := place.Back(ctx, synthetic); !errors.Is(err, projections.ErrNoBuild) {
			t.Errorf("back without a previous build: %v", err)
		}
	})
}

func TestCompareFindsDifferences(t *testing.T) {
	onEveryStore(t, func(t *testing.T, place projections.Place) {
		var log projectiontest.Log
		for i := range 50 {
			log.Append(step{Writes: []write{{Table: "current", Key: int64(i), Text: "same"}}}.Event("a"))
		}
		changed := *synthetic
		changed.Apply = func(e *events.Event, ops *projections.Ops) error {
			if e.Seq == 7 {
				return nil
			}
			other := *e
			if e.Seq == 9 {
				other.Data = step{Writes: []write{{Table: "current", Key: 8, Text: "other"}}}.Event("a").Data
			}
			return synthetic.Apply(&other, ops)
		}
		live := open(t, place, synthetic, projections.Options{})
		if err := projections.CatchUp(t.Context(), live, &log, 50, quiet); err != nil {
			t.Fatal(err)
		}
		if err := projections.Rebuild(t.Context(), rebuildNext(place, &changed, &log), nil); err != nil {
			t.Fatal(err)
		}
		next := open(t, place, &changed, projections.Options{Build: projections.Next})
		c, err := projections.Compare(t.Context(), projections.CompareConfig{Live: projections.AnswersOf(live), Next: next})
		if err != nil {
			t.Fatal(err)
		}
		want := []projections.Difference{
			{Query: "current", Key: "evt._.synthetic.a 6", Live: "same"},
			{Query: "current", Key: "evt._.synthetic.a 8", Live: "same", Next: "other"},
		}
		if !slices.Equal(c.Differences, want) {
			t.Errorf("differences %+v\nwant %+v", c.Differences, want)
		}
	})
}

func TestStoreRefusesAnotherLogOrShape(t *testing.T) {
	onEveryStore(t, func(t *testing.T, place projections.Place) {
		open(t, place, synthetic, projections.Options{Generation: "g1"}).Close()
		_, err := place.Open(t.Context(), synthetic, projections.Options{Generation: "g2"})
		if !errors.Is(err, projections.ErrGeneration) {
			t.Errorf("another generation: %v", err)
		}
		changed := *synthetic
		changed.Tables = changed.Tables[1:]
		if _, err := place.Open(t.Context(), &changed, projections.Options{}); !errors.Is(err, projections.ErrShape) {
			t.Errorf("other tables: %v", err)
		}
		if _, err := place.Open(t.Context(), synthetic, projections.Options{Build: projections.Prev, ReadOnly: true}); !errors.Is(err, projections.ErrNoBuild) {
			t.Errorf("no such build: %v", err)
		}
	})
}

// breaking fails after some events.
type breaking struct {
	projections.Source
	after uint64
}

func (b breaking) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	return b.Source.Follow(ctx, after, max, func(batch []events.Event) error {
		if batch[0].Seq > b.after {
			return fmt.Errorf("the log broke")
		}
		return fn(batch)
	})
}

func TestFailedRebuildLeavesWhatWasThere(t *testing.T) {
	onEveryStore(t, func(t *testing.T, place projections.Place) {
		log := projectiontest.Steps(projectiontest.Seed(t), 1200)
		good := rebuildNext(place, synthetic, log)
		good.Build = projections.Live
		if err := projections.Rebuild(t.Context(), good, nil); err != nil {
			t.Fatal(err)
		}
		store := open(t, place, synthetic, projections.Options{})
		want := dump(t, store)
		store.Close()
		bad := good
		bad.Source = breaking{log, 600}
		if err := projections.Rebuild(t.Context(), bad, nil); err == nil {
			t.Fatal("a broken log was rebuilt from")
		}
		infos, err := place.List(t.Context())
		if err != nil || len(infos) != 1 {
			t.Fatalf("builds %+v, %v", infos, err)
		}
		store = open(t, place, synthetic, projections.Options{})
		projectiontest.Same(t, "after the failed rebuild", want, dump(t, store))
	})
}

func TestRebuildTellsProgress(t *testing.T) {
	onEveryStore(t, func(t *testing.T, place projections.Place) {
		log := projectiontest.Steps(projectiontest.Seed(t), 900)
		var seen []uint64
		cfg := rebuildNext(place, synthetic, log)
		cfg.Workers = 1
		err := projections.Rebuild(t.Context(), cfg, func(done, total uint64) {
			if total != 900 {
				t.Errorf("total %d", total)
			}
			seen = append(seen, done)
		})
		if err != nil || len(seen) < 3 || seen[len(seen)-1] != 900 || !slices.IsSorted(seen) {
			t.Errorf("progress %v, %v", seen, err)
		}
	})
}

func TestRebuildKeepsOffAnOpenFile(t *testing.T) {
	place := projections.SQLiteDir(t.TempDir())
	log := projectiontest.Steps(projectiontest.Seed(t), 50)
	store := open(t, place, synthetic, projections.Options{})
	want := dump(t, store)
	cfg := rebuildNext(place, synthetic, log)
	cfg.Build = projections.Live
	if err := projections.Rebuild(t.Context(), cfg, nil); !errors.Is(err, projections.ErrInUse) {
		t.Fatalf("rebuild over an open store: %v", err)
	}
	projectiontest.Same(t, "after the refusal", want, dump(t, store))
}

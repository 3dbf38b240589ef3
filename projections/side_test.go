package projections_test

import (
	"errors"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/projectiontest"
)

func rebuildNext(storage projections.Storage, p *projections.Projection, log projections.Source) bulk.Config {
	return bulk.Config{Projection: p, Storage: storage, Build: projections.Next, Source: log, Generation: "g1", Logger: quiet}
}

// TestSideBySide walks the whole way: prepare, compare, switch, and back.
func TestSideBySide(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		ctx := t.Context()
		rng := projectiontest.Seed(t)
		log := projectiontest.Steps(rng, 300)
		live := open(t, storage, synthetic, projections.Options{})
		r, stop := start(t, live, log, nil)
		if err := r.Wait(ctx, 250); err != nil && !errors.Is(err, projections.ErrParked) {
			t.Fatal(err)
		}
		if err := bulk.Prepare(ctx, rebuildNext(storage, synthetic, log), nil); err != nil {
			t.Fatal(err)
		}
		// More happens while they are compared.
		log.Append(step{Writes: []write{{Table: "current", Key: 1, Text: "later"}}}.Event("fresh"))
		next := open(t, storage, synthetic, projections.Options{Build: projections.Next})
		last, _ := log.LastSeq(ctx)
		if err := r.Wait(ctx, last); err != nil {
			t.Fatal(err)
		}
		c, err := projections.Compare(ctx, projections.CompareConfig{Live: projections.ResultsOf(live), Next: next, Source: log, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if c.Position != last || c.Results == 0 || len(c.Differences) != 0 {
			t.Fatalf("comparison %+v, the log's last is %d", c, last)
		}
		if err := storage.Switch(ctx, synthetic); !errors.Is(err, projections.ErrInUse) {
			t.Fatalf("switch under a running server: %v", err)
		}
		stop()
		want := dump(t, live)
		live.Close()
		next.Close()
		if err := storage.Switch(ctx, synthetic); err != nil {
			t.Fatal(err)
		}
		builds := func() (list []projections.Build) {
			infos, err := storage.List(ctx)
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
		live = open(t, storage, synthetic, projections.Options{})
		projectiontest.Same(t, "after the switch", want, dump(t, live))
		live.Close()
		if err := storage.Back(ctx, synthetic); err != nil {
			t.Fatal(err)
		}
		if got := builds(); !slices.Equal(got, []projections.Build{projections.Live, projections.Next}) {
			t.Errorf("after going back there are %q", got)
		}
		if err := storage.Drop(ctx, "synthetic", 1, projections.Next); err != nil {
			t.Fatal(err)
		}
		if err := storage.Switch(ctx, synthetic); !errors.Is(err, projections.ErrNoBuild) {
			t.Errorf("switch without a next build: %v", err)
		}
		if err := storage.Back(ctx, synthetic); !errors.Is(err, projections.ErrNoBuild) {
			t.Errorf("back without a previous build: %v", err)
		}
	})
}

func TestCompareFindsDifferences(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
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
		live := open(t, storage, synthetic, projections.Options{})
		if err := projections.CatchUp(t.Context(), live, &log, 50, quiet); err != nil {
			t.Fatal(err)
		}
		if err := bulk.Rebuild(t.Context(), rebuildNext(storage, &changed, &log), nil); err != nil {
			t.Fatal(err)
		}
		next := open(t, storage, &changed, projections.Options{Build: projections.Next})
		c, err := projections.Compare(t.Context(), projections.CompareConfig{Live: projections.ResultsOf(live), Next: next})
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
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		open(t, storage, synthetic, projections.Options{Generation: "g1"}).Close()
		_, err := storage.Open(t.Context(), synthetic, projections.Options{Generation: "g2"})
		if !errors.Is(err, projections.ErrGeneration) {
			t.Errorf("another generation: %v", err)
		}
		changed := *synthetic
		changed.Tables = changed.Tables[1:]
		if _, err := storage.Open(t.Context(), &changed, projections.Options{}); !errors.Is(err, projections.ErrShape) {
			t.Errorf("other tables: %v", err)
		}
		if _, err := storage.Open(t.Context(), synthetic, projections.Options{Build: projections.Prev, ReadOnly: true}); !errors.Is(err, projections.ErrNoBuild) {
			t.Errorf("no such build: %v", err)
		}
	})
}

package projections_test

import (
	"errors"
	"testing"

	"hubledger/projections"
	"hubledger/projections/projectiontest"
)

type (
	step  = projectiontest.Step
	write = projectiontest.Write
)

func TestWait(t *testing.T) {
	onEveryStore(t, func(t *testing.T, place projections.Place) {
		store := open(t, place, projectiontest.Synthetic, projections.Options{})
		var log projectiontest.Log
		r, _ := start(t, store, &log, nil)
		seq := log.Append(step{Writes: []write{{Table: "current", Key: 1, Text: "x"}}}.Event("a"))
		if err := r.Wait(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
		var note string
		if err := store.DB().QueryRow(`SELECT note FROM current WHERE "key" = $1`, 1).Scan(&note); err != nil || note != "x" {
			t.Fatalf("note %q, %v", note, err)
		}
		if _, err := store.DB().Exec(`DELETE FROM current`); err == nil {
			t.Error("a write through DB was accepted")
		}
		seq = log.Append(step{Poison: "panic"}.Event("a"))
		if err := r.Wait(t.Context(), seq); !errors.Is(err, projections.ErrParked) {
			t.Fatalf("poison: %v", err)
		}
	})
}

func TestRebuildSmall(t *testing.T) {
	onEveryStore(t, func(t *testing.T, place projections.Place) {
		var log projectiontest.Log
		log.Append(step{Writes: []write{{Table: "current", Key: 1, Text: "x"}, {Table: "counts", Key: 3, N: 2}}}.Event("a"))
		log.Append(step{Writes: []write{{Table: "current", Key: 1, Delete: true}, {Table: "counts", Key: 3, N: 4}}}.Event("a"))
		log.Append(step{Writes: []write{{Table: "current", Key: 1, Text: "z"}, {Table: "held", Key: 9}}}.Event("a"))
		log.Append(step{Poison: "error"}.Event("b"))
		log.Append(step{Writes: []write{{Table: "held", Key: 9}}}.Event("b"))
		store := open(t, place, projectiontest.Synthetic, projections.Options{})
		r, stop := start(t, store, &log, nil)
		r.Wait(t.Context(), 5)
		stop()
		cfg := projections.RebuildConfig{Projection: projectiontest.Synthetic, Place: place, Build: projections.Next, Source: &log, Generation: "g1", Logger: quiet}
		if err := projections.Prepare(t.Context(), cfg, nil); err != nil {
			t.Fatal(err)
		}
		next := open(t, place, projectiontest.Synthetic, projections.Options{Build: projections.Next})
		if a, b := dump(t, store), dump(t, next); a != b {
			t.Errorf("live:\n%s\nrebuilt:\n%s", a, b)
		}
	})
}

func BenchmarkLatency(b *testing.B) {
	for _, p := range places {
		b.Run(p.name, func(b *testing.B) {
			store := open(b, p.make(b), projectiontest.Synthetic, projections.Options{})
			var log projectiontest.Log
			r, stop := start(b, store, &log, nil)
			defer stop()
			data := make([]byte, 1300)
			for i := 0; b.Loop(); i++ {
				var w []write
				for _, table := range []string{"history", "current", "counts", "latest", "held"} {
					w = append(w, write{Table: table, Key: int64(i)})
				}
				w = append(w, write{Table: "history", Key: int64(i + 1), Data: data}, write{Table: "held", Key: int64(i * 7)}, write{Table: "held", Key: int64(i * 13)})
				if err := r.Wait(b.Context(), log.Append(step{Writes: w}.Event("a"))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

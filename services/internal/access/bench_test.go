package access_test

import (
	"testing"

	"hubledger/projections"
	"hubledger/projections/sqlitestore"
)

// BenchmarkRemembered is what every request pays.
func BenchmarkRemembered(b *testing.B) {
	w := newWorld(start(b, sqlitestore.Dir(b.TempDir())))
	w.see()
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p, err := w.Live(ctx, w.user)
			check(b, err)
			if d, err := w.Repository(ctx, p, "acme/app"); err != nil || d.Repository == nil {
				b.Fatal(d, err)
			}
		}
	})
}

// BenchmarkAsked is what the first request pays, or any while something is parked.
func BenchmarkAsked(b *testing.B) {
	w := newWorld(start(b, sqlitestore.Dir(b.TempDir())))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		w.Committed(projections.Commit{}, false)
		if _, err := w.Repository(ctx, w.user, "acme/app"); err != nil {
			b.Fatal(err)
		}
	}
}

package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

var (
	synthetic = projectiontest.Synthetic
	open      = projectiontest.Open
	dump      = projectiontest.Dump
)

func onEveryStorage(t *testing.T, test func(t *testing.T, storage projections.Storage)) {
	projectiontest.OnEveryStorage(t, &postgres, test)
}

func configOf(storage projections.Storage, build projections.Build, log projections.Source) bulk.Config {
	return bulk.Config{Projection: synthetic, Storage: storage, Build: build, Source: log, Generation: "g1", Logger: projectiontest.Quiet}
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
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		log := projectiontest.Steps(projectiontest.Seed(t), 1200)
		good := configOf(storage, projections.Live, log)
		if err := bulk.Rebuild(t.Context(), good, nil); err != nil {
			t.Fatal(err)
		}
		store := open(t, storage, synthetic, projections.Options{})
		want := dump(t, store)
		store.Close()
		bad := good
		bad.Source = breaking{log, 600}
		if err := bulk.Rebuild(t.Context(), bad, nil); err == nil {
			t.Fatal("a broken log was rebuilt from")
		}
		infos, err := storage.List(t.Context())
		if err != nil || len(infos) != 1 {
			t.Fatalf("builds %+v, %v", infos, err)
		}
		store = open(t, storage, synthetic, projections.Options{})
		projectiontest.Same(t, "after the failed rebuild", want, dump(t, store))
	})
}

func TestRebuildTellsProgress(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		log := projectiontest.Steps(projectiontest.Seed(t), 900)
		var seen []uint64
		cfg := configOf(storage, projections.Next, log)
		cfg.Workers = 1
		err := bulk.Rebuild(t.Context(), cfg, func(done, total uint64) {
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
	storage := sqlitestore.Dir(t.TempDir())
	log := projectiontest.Steps(projectiontest.Seed(t), 50)
	store := open(t, storage, synthetic, projections.Options{})
	want := dump(t, store)
	cfg := configOf(storage, projections.Live, log)
	if err := bulk.Rebuild(t.Context(), cfg, nil); !errors.Is(err, projections.ErrInUse) {
		t.Fatalf("rebuild over an open store: %v", err)
	}
	projectiontest.Same(t, "after the refusal", want, dump(t, store))
}

// onlyStorage is a Storage that has no other methods.
type onlyStorage struct{ projections.Storage }

func TestRebuildNeedsALoadable(t *testing.T) {
	cfg := configOf(onlyStorage{sqlitestore.Dir(t.TempDir())}, projections.Next, &projectiontest.Log{})
	if err := bulk.Rebuild(t.Context(), cfg, nil); err == nil {
		t.Error("a storage that cannot be loaded in bulk was rebuilt")
	}
}

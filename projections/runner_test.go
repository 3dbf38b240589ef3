package projections_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"hubledger/projections"
	"hubledger/projections/projectiontest"
)

type (
	step  = projectiontest.Step
	write = projectiontest.Write
)

func TestWait(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		store := open(t, storage, projectiontest.Synthetic, projections.Options{})
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
		if err := store.DB().QueryRow(`SELECT max(lower(note) COLLATE "C") FROM current`).Scan(&note); err != nil || note != "x" {
			t.Errorf("in byte order: %q, %v", note, err)
		}
		if _, err := store.DB().Exec(`DELETE FROM current`); err == nil {
			t.Error("a write through DB was accepted")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Wait(ended, seq+1); !errors.Is(err, context.Canceled) {
			t.Errorf("wait for what never comes: %v", err)
		}
	})
}

func TestCommitsComeInOrderAndBeforeWait(t *testing.T) {
	onEveryStorage(t, func(t *testing.T, storage projections.Storage) {
		store := open(t, storage, synthetic, projections.Options{})
		var log projectiontest.Log
		var mu sync.Mutex
		var position, told uint64
		r, _ := start(t, store, &log, func(r *projections.Runner, c projections.Commit) {
			if c.To > 0 && r.Position() >= c.To {
				t.Errorf("position %d was known before the commit to it was told", c.To)
			}
			mu.Lock()
			defer mu.Unlock()
			if c.From != position {
				t.Errorf("commit from %d behind one to %d", c.From, position)
			}
			for i, e := range c.Events {
				if e.Seq != c.From+uint64(i)+1 {
					t.Errorf("commit from %d has event %d at %d", c.From, e.Seq, i)
				}
			}
			position, told = c.To, told+uint64(len(c.Events))
		})
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 25 {
					seq := log.Append(step{Writes: []write{{Table: "counts", Key: 1, N: 1}}}.Event("a"))
					if err := r.Wait(context.Background(), seq); err != nil {
						t.Error(err)
					}
					mu.Lock()
					if position < seq {
						t.Errorf("Wait for %d returned before OnCommit", seq)
					}
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if told != 100 || r.Position() != 100 {
			t.Errorf("%d events told, position %d", told, r.Position())
		}
		var n, count int
		if err := store.DB().QueryRow(`SELECT n, events FROM counts WHERE "key" = 1`).Scan(&n, &count); err != nil || n != 100 || count != 100 {
			t.Errorf("counted %d in %d events, %v", n, count, err)
		}
	})
}

package projectiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/sqlitestore"
)

// Converge checks that every way of applying a log gives the same rows: event by
// event in SQLite, and in the given storage in batches of random sizes with
// interruptions anywhere, and rebuilt in bulk, twice.
func Converge(t *testing.T, p *projections.Projection, log projections.Source, rng *rand.Rand, storage projections.Storage) {
	t.Helper()
	ctx := t.Context()
	last, err := log.LastSeq(ctx)
	if err != nil {
		t.Fatal(err)
	}
	reference := sqlitestore.Dir(t.TempDir())
	want := follow(t, reference, p, &chopped{Source: log, size: func() int { return 1 }}, last)
	if n := strings.Count(want, "\n"); n < 10 {
		t.Fatalf("the history comes to %d rows: it tests nothing", n)
	}
	choppy := &chopped{Source: log, size: func() int { return 1 + rng.IntN(60) }, fail: func() bool { return rng.IntN(20) == 0 }}
	Same(t, "in batches", want, follow(t, storage, p, choppy, last))
	for round := range 2 {
		cfg := bulk.Config{Projection: p, Storage: storage, Build: projections.Next, Source: log,
			Generation: "g1", Logger: Quiet, Workers: 1 + 2*round}
		if round == 0 {
			cfg.Memory = 64 << 10 // many runs
		}
		if err := bulk.Rebuild(ctx, cfg, nil); err != nil {
			t.Fatal(err)
		}
		store, err := storage.Open(ctx, p, projections.Options{Build: projections.Next, Generation: "g1", Logger: Quiet})
		if err != nil {
			t.Fatal(err)
		}
		Same(t, fmt.Sprintf("rebuild %d", round+1), want, Dump(t, store))
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Dump is projections.Dump as a string.
func Dump(t testing.TB, store projections.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := projections.Dump(context.Background(), store, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Same fails with the first lines in which two dumps differ.
func Same(t testing.TB, what, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			t.Fatalf("%s: line %d\nwant %.300s\ngot  %.300s", what, i+1, a[i], strings.Join(b[min(i, len(b)):min(i+1, len(b))], ""))
		}
	}
	t.Fatalf("%s: %d lines more than wanted, the first: %.300s", what, len(b)-len(a), b[len(a)])
}

// follow opens the store anew after each interruption until it has all events.
func follow(t testing.TB, storage projections.Storage, p *projections.Projection, log projections.Source, last uint64) string {
	t.Helper()
	ctx := context.Background()
	for {
		store, err := storage.Open(ctx, p, projections.Options{Generation: "g1", Logger: Quiet})
		if err != nil {
			t.Fatal(err)
		}
		err = projections.CatchUp(ctx, store, log, last, Quiet)
		if err != nil && !errors.Is(err, errInterrupted) {
			t.Fatal(err)
		}
		if err == nil {
			defer store.Close()
			return Dump(t, store)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

var errInterrupted = errors.New("interrupted by the test")

// chopped hands a log over in batches of its own sizes and fails now and then.
type chopped struct {
	projections.Source
	size func() int
	fail func() bool
}

func (c *chopped) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	return c.Source.Follow(ctx, after, max, func(batch []events.Event) error {
		for len(batch) > 0 {
			if c.fail != nil && c.fail() {
				return errInterrupted
			}
			n := min(c.size(), len(batch))
			if err := fn(batch[:n]); err != nil {
				return err
			}
			batch = batch[n:]
		}
		return nil
	})
}

// Steps is a random history of synthetic events.
func Steps(rng *rand.Rand, n int) *Log {
	log := &Log{}
	texts := []string{"", "x", "nul\x00inside", "bad\xff utf8", "ä", "Z", "a", strings.Repeat("long", 100)}
	tables := []string{"history", "current", "counts", "latest", "held", "chosen", "history", "current", "held"}
	for range n {
		var s Step
		if rng.IntN(250) == 0 {
			s.Poison = []string{"error", "panic"}[rng.IntN(2)]
		}
		for range rng.IntN(6) {
			w := Write{Table: tables[rng.IntN(len(tables))], Key: rng.Int64N(6) - 2, N: rng.Int64N(1000) - 200, Text: texts[rng.IntN(len(texts))]}
			if w.Table == "history" || w.Table == "current" || w.Table == "held" {
				w.Delete = rng.IntN(3) == 0
			}
			if rng.IntN(4) == 0 {
				w.Data = make([]byte, rng.IntN(3000))
				for i := range w.Data {
					w.Data[i] = byte(rng.IntN(256))
				}
			}
			s.Writes = append(s.Writes, w)
		}
		log.Append(s.Event(fmt.Sprintf("a%d", rng.IntN(20))))
	}
	return log
}

// Seed is a new random number for each run, logged so that a failure can be
// repeated by putting it here.
func Seed(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

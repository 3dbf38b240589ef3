package streams_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/restore"
	"hubledger/streams/streamtest"
)

// newEvent is namespace.created, on a subject of its own for each name.
func newEvent(t testing.TB, id, name string) events.Event {
	t.Helper()
	e, err := events.New(events.NamespaceCreated{Namespace: "ns-" + name, Name: name},
		events.Meta{ID: id, Source: "/test", Actor: "anonymous"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func appendN(t testing.TB, l *streams.Log, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		seq, err := l.Append(context.Background(), newEvent(t, fmt.Sprint("id-", i), fmt.Sprint("name-", i)), 0)
		if err != nil || seq != uint64(i) {
			t.Fatalf("append %d: sequence %d, error %v", i, seq, err)
		}
	}
}

func TestWhatIsAppendedIsReadBack(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := streamtest.Open(t, dir)
	in := newEvent(t, "id-1", "alice")
	in.Set("ce-actor", "")
	in.Set("ce-cause", "x: y, z")
	seq, err := l.Append(ctx, in, 0)
	if err != nil || seq != 1 {
		t.Fatalf("append: %d, %v", seq, err)
	}
	e, err := l.Get(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Check(); err != nil {
		t.Error(err)
	}
	in.Seq = 1
	in.Set(events.AttrTime, e.Attr(events.AttrTime))
	if events.LeafOf(&in) != events.LeafOf(e) {
		t.Errorf("appended %+v\nread %+v", in, *e)
	}
	last, err := l.Last(ctx, in.Subject)
	if err != nil || events.LeafOf(last) != events.LeafOf(e) {
		t.Errorf("last: %+v, %v", last, err)
	}
	if none, err := l.Last(ctx, events.NamespaceSubject("bob")); none != nil || err != nil {
		t.Errorf("last of an unused subject: %+v, %v", none, err)
	}
	if _, err := l.Get(ctx, 2); !errors.Is(err, streams.ErrNotFound) {
		t.Errorf("get behind the end: %v", err)
	}
	if n, err := l.LastSeq(ctx); n != 1 || err != nil {
		t.Errorf("last sequence %d, %v", n, err)
	}
}

func TestTwoFirstPushesMakeOneRepository(t *testing.T) {
	ctx := context.Background()
	l := streamtest.Open(t, "")
	for round := range 20 {
		var wg sync.WaitGroup
		results := make([]error, 4)
		for i := range results {
			wg.Go(func() {
				_, results[i] = l.Append(ctx, newEvent(t, fmt.Sprint("id-", round, "-", i), fmt.Sprint("name-", round)), 0)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range results {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, events.ErrConflict):
				t.Errorf("round %d: %v", round, err)
			}
		}
		if won != 1 {
			t.Errorf("round %d: %d creations succeeded", round, won)
		}
	}
}

func TestFollowHandsOverEverythingInOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := streamtest.Open(t, "")
	const n = 300
	appendN(t, l, 1, n/2)
	done := errors.New("all there")
	got := make(chan error, 1)
	go func() {
		next := uint64(11)
		got <- l.Follow(ctx, 10, 50, func(batch []events.Event) error {
			if len(batch) > 50 {
				return fmt.Errorf("%d events at once", len(batch))
			}
			for i := range batch {
				if batch[i].Seq != next {
					return fmt.Errorf("event %d came, %d was due", batch[i].Seq, next)
				}
				next++
			}
			if next == n+1 {
				return done
			}
			return nil
		})
	}()
	appendN(t, l, n/2+1, n)
	if err := <-got; !errors.Is(err, done) {
		t.Error(err)
	}
	if err := l.Follow(ctx, n+1, 50, nil); !errors.Is(err, streams.ErrGap) {
		t.Errorf("following from behind the end: %v", err)
	}
	cancel()
	if err := l.Follow(ctx, 0, 50, func([]events.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("following after the end of the context: %v", err)
	}
}

func TestFollowFromFarBehind(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	const old, young = 5000, 100
	if _, err := restore.Run(ctx, quietRestore(dir), restore.Copy{Entries: generated(t, old)}); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, dir)
	odd := newEvent(t, "id-odd", "odd")
	odd.Set("ce-actor", "")
	odd.Set("ce-cause", "a: b:c")
	if _, err := l.Append(ctx, odd, 0); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for i := old + 2; i <= old+young; i++ {
			if _, err := l.Append(ctx, newEvent(t, fmt.Sprint("id-", i), fmt.Sprint("name-", i)), 0); err != nil {
				t.Errorf("append %d: %v", i, err)
			}
		}
	})
	done := errors.New("done")
	next := uint64(3)
	follow := func() error {
		return l.Follow(ctx, 2, 500, func(batch []events.Event) error {
			for i := range batch {
				if batch[i].Seq != next || len(batch) > 500 {
					return fmt.Errorf("event %d came in a batch of %d, %d was due", batch[i].Seq, len(batch), next)
				}
				next++
				if batch[i].Seq > old-5 && batch[i].Seq < old+5 {
					// The server and the files say the same.
					e, err := l.Get(ctx, batch[i].Seq)
					if err != nil || events.LeafOf(e) != events.LeafOf(&batch[i]) {
						return fmt.Errorf("%+v is %+v, %v", batch[i], e, err)
					}
				}
			}
			if next == old+young+1 {
				return done
			}
			return nil
		})
	}
	if err := follow(); !errors.Is(err, done) {
		t.Fatal(err)
	}
	flip(t, dir, .5)
	next = 3
	var found *streams.GuardError
	if err := follow(); !errors.As(err, &found) || found.Reason != streams.ReasonDamaged {
		t.Errorf("over damage: %v", err)
	}
	if l.ReadOnly() == nil {
		t.Error("the log is still writable")
	}
}

package leases

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

func TestLeasedBlobDoesNotLeave(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		leased, expired, unknown := blob("leased"), blob("expired"), blob("unknown")
		check(t, s.Take(t.Context(), "alice/app", inAnHour(), leased))
		check(t, s.Take(t.Context(), "alice/app", time.Now().Add(-time.Second), expired))
		marked, err := s.MarkLeaving(t.Context(), []digest.Digest{leased, expired, unknown})
		check(t, err)
		slices.Sort(marked)
		want := []digest.Digest{expired, unknown}
		slices.Sort(want)
		if !slices.Equal(marked, want) {
			t.Fatalf("marked %v, want %v", marked, want)
		}
		s = reopen()
		mustMark(t, s, unknown, true) // again
		marks, err := s.Leaving(t.Context())
		check(t, err)
		if len(marks) != 2 || marks[0].Since.IsZero() {
			t.Fatalf("marks after reopening: %v", marks)
		}
		if err := s.Take(t.Context(), "alice/app", inAnHour(), unknown); !errors.Is(err, ErrLeaving) {
			t.Fatalf("took a leaving blob: %v", err)
		}
		if _, err := s.Pin(t.Context(), unknown); !errors.Is(err, ErrLeaving) {
			t.Fatalf("pinned a leaving blob: %v", err)
		}
		check(t, s.ClearLeaving(t.Context(), unknown, expired))
		check(t, s.Take(t.Context(), "alice/app", inAnHour(), unknown))
		gone, err := s.IsLeaving(t.Context(), expired)
		check(t, err)
		if gone {
			t.Fatal("a cleared mark is still there")
		}
	})
}

func TestPinHoldsUntilUnpinned(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		d := blob("layer")
		first, err := s.Pin(t.Context(), d)
		check(t, err)
		second, err := s.Pin(t.Context(), d)
		check(t, err)
		s.Unpin(first)
		mustMark(t, s, d, false) // the second still holds
		s = reopen()
		mustMark(t, s, d, false)
		s.Unpin(second)
		s = reopen() // rows go in their own time, at the latest now
		mustMark(t, s, d, true)
	})
}

func TestPinOutlivesItsLease(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		d := blob("layer")
		check(t, s.Take(t.Context(), "alice/app", inAnHour(), d))
		_, err := s.Pin(t.Context(), d)
		check(t, err)
		_, err = s.Drop(t.Context(), "alice/app", d)
		check(t, err)
		mustMark(t, s, d, false)
	})
}

func TestWaitCleared(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		d := blob("layer")
		check(t, s.WaitCleared(t.Context(), d)) // nothing to wait for
		mustMark(t, s, d, true)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.WaitCleared(ctx, d); !errors.Is(err, context.Canceled) {
			t.Fatalf("waiting with a cancelled context: %v", err)
		}
		done := make(chan error)
		for range 3 {
			go func() { done <- s.WaitCleared(t.Context(), d) }()
		}
		check(t, s.ClearLeaving(t.Context(), d))
		for range 3 {
			check(t, <-done)
		}
	})
}

// A blob is either held or leaving, whatever happens at the same moment.
func TestHeldAndLeavingExcludeEachOther(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		const blobs, rounds, clients = 8, 60, 4
		var held [blobs]atomic.Int32 // by clients that were told so and did not give it back yet
		var marks, holds atomic.Int32
		var wg sync.WaitGroup
		for c := range clients {
			wg.Go(func() {
				repo := fmt.Sprintf("alice/app%d", c)
				for range rounds {
					i := rand.IntN(blobs)
					d := blob(fmt.Sprint(i))
					release := hold(t, s, repo, d, rand.IntN(3))
					if release == nil {
						continue
					}
					holds.Add(1)
					held[i].Add(1)
					if leaving, err := s.IsLeaving(t.Context(), d); err != nil || leaving {
						t.Errorf("%s is held and leaving (%v)", d, err)
					}
					held[i].Add(-1)
					release()
				}
			})
		}
		collector := sync.WaitGroup{}
		stop := make(chan struct{})
		collector.Go(func() {
			for i := 0; ; i = (i + 1) % blobs {
				select {
				case <-stop:
					return
				default:
				}
				d := blob(fmt.Sprint(i))
				marked, err := s.MarkLeaving(t.Context(), []digest.Digest{d})
				if err != nil {
					t.Error(err)
					return
				}
				if len(marked) == 0 {
					continue
				}
				marks.Add(1)
				if n := held[i].Load(); n != 0 {
					t.Errorf("%s leaves although %d hold it", d, n)
				}
				if err := s.ClearLeaving(t.Context(), d); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		close(stop)
		collector.Wait()
		if marks.Load() == 0 || holds.Load() == 0 {
			t.Fatalf("%d marks and %d holds: nothing was put to the test", marks.Load(), holds.Load())
		}
	})
}

// hold takes a lease, mounts one or pins; nil when the blob is leaving.
func hold(t *testing.T, s *Store, repo string, d digest.Digest, how int) (release func()) {
	drop := func(repo string) func() {
		return func() {
			if _, err := s.Drop(t.Context(), repo, d); err != nil {
				t.Error(err)
			}
		}
	}
	var err error
	var id Pin
	switch how {
	case 0:
		if id, err = s.Pin(t.Context(), d); err == nil {
			return func() { s.Unpin(id) }
		}
	case 1:
		if err = s.Take(t.Context(), repo, inAnHour(), d); err == nil {
			return drop(repo)
		}
	case 2:
		if err = s.Take(t.Context(), repo, inAnHour(), d); err == nil {
			err = s.TakeIf(t.Context(), repo, repo+"/mounted", d, 0)
			drop(repo)()
			if err == nil {
				return drop(repo + "/mounted")
			}
		}
	}
	if !errors.Is(err, ErrLeaving) {
		t.Error(err)
	}
	return nil
}

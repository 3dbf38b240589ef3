package leases

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/operations"
)

func TestLeaseHoldsUntilItsEnd(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		a, b := blob("a"), digest.SHA512.FromString("b")
		until := inAnHour()
		check(t, s.Take(t.Context(), "alice/app", until, a, b, a))
		check(t, s.Take(t.Context(), "alice/app", until.Add(-time.Minute), a)) // shortens nothing
		check(t, s.Take(t.Context(), "alice/old", time.Now().Add(-time.Second), a))
		for range 2 {
			got, ok, err := s.Has(t.Context(), "alice/app", a)
			check(t, err)
			if !ok || !got.Equal(until.Truncate(time.Microsecond)) {
				t.Fatalf("lease until %v (%v), want %v", got, ok, until)
			}
			mustHave(t, s, "alice/app", b, true)
			mustHave(t, s, "bob/app", a, false)
			mustHave(t, s, "alice/old", a, false)
			mustHave(t, s, "alice/app", blob("c"), false)
			s = reopen()
		}
	})
}

func TestTakeManyAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		var ds []digest.Digest
		for i := range 3*maxRows + 1 {
			ds = append(ds, blob(fmt.Sprint(i)))
		}
		check(t, s.Take(t.Context(), "alice/app", inAnHour(), ds...))
		s = reopen()
		for _, d := range ds {
			mustHave(t, s, "alice/app", d, true)
		}
	})
}

func TestTakeIsAllOrNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		free, leaving := blob("free"), blob("leaving")
		mustMark(t, s, leaving, true)
		err := s.Take(t.Context(), "alice/app", inAnHour(), free, leaving)
		var which *LeavingError
		if !errors.Is(err, ErrLeaving) || !errors.As(err, &which) || !slices.Equal(which.Digests, []digest.Digest{leaving}) {
			t.Fatalf("took a leaving blob: %v", err)
		}
		mustHave(t, s, "alice/app", free, false)
		mustHave(t, reopen(), "alice/app", free, false)
	})
}

func TestTakeIfNeedsALiveLease(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		d := blob("layer")
		if err := s.TakeIf(t.Context(), "alice/app", "bob/app", d, 0); !errors.Is(err, ErrNoLease) {
			t.Fatalf("mounted from nothing: %v", err)
		}
		check(t, s.Take(t.Context(), "alice/app", time.Now().Add(-time.Second), d))
		if err := s.TakeIf(t.Context(), "alice/app", "bob/app", d, 0); !errors.Is(err, ErrNoLease) {
			t.Fatalf("mounted from an expired lease: %v", err)
		}
		check(t, s.Take(t.Context(), "alice/app", inAnHour(), d))
		if err := s.TakeIf(t.Context(), "alice/app", "bob/app", d, 2*time.Hour); !errors.Is(err, ErrNoLease) {
			t.Fatalf("mounted from a lease that ends too soon: %v", err)
		}
		check(t, s.TakeIf(t.Context(), "alice/app", "bob/app", d, time.Minute))
		from, _, err := s.Has(t.Context(), "alice/app", d)
		check(t, err)
		to, ok, err := s.Has(t.Context(), "bob/app", d)
		check(t, err)
		if !ok || !to.Equal(from) {
			t.Errorf("the mounted lease ends at %s, its source at %s", to, from)
		}
	})
}

func TestDropEndsALeaseNow(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		a, b := blob("a"), blob("b")
		check(t, s.Take(t.Context(), "alice/app", inAnHour(), a, b))
		check(t, s.Take(t.Context(), "bob/app", inAnHour(), a))
		before := time.Now().Truncate(time.Microsecond)
		held, err := s.Drop(t.Context(), "alice/app", a)
		check(t, err)
		again, err := s.Drop(t.Context(), "alice/app", a)
		check(t, err)
		if !held || again {
			t.Fatalf("dropped: %v, then again: %v", held, again)
		}
		mustHave(t, s, "alice/app", a, false)
		mustHave(t, s, "bob/app", a, true)
		check(t, s.DropRepository(t.Context(), "bob/app"))
		for range 2 {
			mustHave(t, s, "bob/app", a, false)
			mustHave(t, s, "alice/app", b, true)
			ended, ok, err := s.LastLease(t.Context(), a)
			check(t, err)
			if !ok || ended.Before(before) || ended.After(time.Now()) {
				t.Fatalf("the last lease ended %v (%v), dropped after %v", ended, ok, before)
			}
			s = reopen()
		}
	})
}

func TestExpireForgetsOnlyWhatEndedBefore(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		old, recent, live := blob("old"), blob("recent"), blob("live")
		now := time.Now()
		check(t, s.Take(t.Context(), "alice/app", now.Add(-2*time.Hour), old))
		check(t, s.Take(t.Context(), "alice/app", now.Add(-time.Minute), recent))
		check(t, s.Take(t.Context(), "alice/app", inAnHour(), live))
		n, err := s.Expire(t.Context(), now.Add(-time.Hour))
		check(t, err)
		if n != 1 {
			t.Fatalf("%d leases forgotten, want 1", n)
		}
		for range 2 {
			for d, want := range map[digest.Digest]bool{old: false, recent: true, live: true} {
				_, ok, err := s.LastLease(t.Context(), d)
				check(t, err)
				if ok != want {
					t.Fatalf("last lease of %s known: %v, want %v", d, ok, want)
				}
			}
			s = reopen()
		}
	})
}

func TestBadDigestIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		for _, d := range []digest.Digest{"", "sha256:", "sha256:zz", "md5:d41d8cd98f00b204e9800998ecf8427e",
			"sha384:" + blob("x")[7:], "sha256:" + "A" + blob("x")[8:], "sha512:" + blob("x")[7:]} {
			if err := s.Take(t.Context(), "alice/app", inAnHour(), d); !errors.Is(err, digest.ErrDigestInvalidFormat) {
				t.Errorf("lease on %q: %v", d, err)
			}
		}
	})
}

// What a failed transaction did is seen nowhere.
func TestFailedChangeLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		d, other := blob("a"), blob("b")
		check(t, s.Take(t.Context(), "alice/app", inAnHour(), other))
		ps, err := packAll([]digest.Digest{d})
		check(t, err)
		err = s.change(t.Context(), givesHolds, func(tx *tx) error {
			if err := tx.take("alice/app", ps, operations.Micros(inAnHour())); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT INTO nowhere VALUES (1)`)
			return err
		})
		if err == nil {
			t.Fatal("a statement about no table succeeded")
		}
		mustHave(t, s, "alice/app", d, false)
		mustHave(t, s, "alice/app", other, true)
		mustMark(t, s, other, false)
		mustMark(t, s, d, true)
	})
}

// A blob is held by whoever has a live lease on it, and by nobody once that ended.
func TestHolder(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		d := digest.FromString("held")
		for _, step := range []struct {
			repo string
			term time.Duration
			want string
		}{{"", 0, ""}, {"carol/app", -time.Second, ""}, {"bob/app", time.Hour, "bob/app"}, {"alice/app", time.Hour, "alice/app"}} {
			if step.repo != "" {
				if err := s.Take(t.Context(), step.repo, time.Now().Add(step.term), d); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := s.Holder(t.Context(), d); err != nil || got != step.want {
				t.Errorf("after a lease to %q: %q holds it, not %q, %v", step.repo, got, step.want, err)
			}
		}
	})
}

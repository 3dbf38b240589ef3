package pulls

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"

	"hubledger/projections/pgtest"
	"hubledger/services/internal/operations"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onEach runs a test on every kind of store. reopen closes it and opens it again.
func onEach(t *testing.T, test func(t *testing.T, s *Store, reopen func() *Store)) {
	for name, config := range map[string]func(t *testing.T) operations.Config{
		"sqlite": func(t *testing.T) operations.Config {
			return operations.Config{File: filepath.Join(t.TempDir(), operations.FileName)}
		},
		"postgres": func(t *testing.T) operations.Config { return operations.Config{PostgresURL: postgres.URL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			var ops *operations.Store
			open := func() *Store {
				var err error
				ops, err = operations.Open(t.Context(), c)
				check(t, err)
				s, err := Open(t.Context(), ops)
				check(t, err)
				return s
			}
			s := open()
			t.Cleanup(func() { check(t, ops.Close()) })
			test(t, s, func() *Store {
				check(t, ops.Close())
				return open()
			})
		})
	}
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func sorted(pulls []Pull) []Pull {
	slices.SortFunc(pulls, func(a, b Pull) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Digest, b.Digest))
	})
	return pulls
}

func mustEqual(t *testing.T, got, want []Pull) {
	t.Helper()
	if !slices.Equal(sorted(got), sorted(want)) {
		t.Fatalf("pulls\n%v, want\n%v", got, want)
	}
}

func TestPullsAddUpByHour(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		check(t, s.Count(t.Context(), nil))
		check(t, s.Count(t.Context(), []Pull{
			{noon.Add(time.Minute), "r1", "latest", "", 2, noon.Add(3 * time.Minute)},
			{noon.Add(time.Minute), "r1", "", "", 5, noon.Add(time.Minute)},
			{noon.Add(time.Hour), "r1", "latest", "", 1, noon.Add(time.Hour)},
		}))
		check(t, s.Count(t.Context(), []Pull{{noon, "r1", "latest", "", 1, noon.Add(2 * time.Minute)}}))
		s = reopen()
		first := []Pull{{noon, "r1", "latest", "", 3, noon.Add(3 * time.Minute)}, {noon, "r1", "", "", 5, noon.Add(time.Minute)}}
		second := Pull{noon.Add(time.Hour), "r1", "latest", "", 1, noon.Add(time.Hour)}
		all, err := s.Of(t.Context(), "")
		check(t, err)
		mustEqual(t, all, append(slices.Clone(first), second))
		check(t, s.Count(t.Context(), []Pull{{noon, "r2", "latest", "", 1, noon}}))
		of, err := s.Of(t.Context(), "r1")
		check(t, err)
		mustEqual(t, of, append(slices.Clone(first), second))
		hours, err := s.Hours(t.Context(), noon.Add(119*time.Minute), 10)
		check(t, err)
		if !slices.Equal(hours, []time.Time{noon}) {
			t.Fatalf("hours that ended: %v", hours)
		}
		h, err := s.ReadHour(t.Context(), noon, uuid.NewString())
		check(t, err)
		mustEqual(t, h.Pulls, append(slices.Clone(first), Pull{noon, "r2", "latest", "", 1, noon}))
	})
}

func TestHourIsWrittenOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		counted := Pull{noon, "r1", "latest", "", 2, noon}
		check(t, s.Count(t.Context(), []Pull{counted}))
		first, err := s.ReadHour(t.Context(), noon, uuid.NewString())
		check(t, err)
		check(t, s.Count(t.Context(), []Pull{counted})) // late: the event may be in the log already
		s = reopen()
		again, err := s.ReadHour(t.Context(), noon, uuid.NewString())
		check(t, err)
		if len(first.Event) != 36 || again.Event != first.Event {
			t.Fatalf("event %q, then %q", first.Event, again.Event)
		}
		mustEqual(t, again.Pulls, []Pull{counted})
		check(t, s.ClearHour(t.Context(), noon))
		check(t, s.Count(t.Context(), []Pull{counted})) // later still
		rest, err := s.Of(t.Context(), "")
		check(t, err)
		mustEqual(t, rest, []Pull{{noon.Add(time.Hour), "r1", "latest", "", 4, noon}})
	})
}

// An hour that waits for its event keeps the event's id, however many later
// hours are cleared before.
func TestOldHourKeepsItsEvent(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		later := noon.Add(10 * closedFor)
		check(t, s.Count(t.Context(), []Pull{{noon, "r1", "a", "", 1, noon}, {later, "r1", "a", "", 1, later}}))
		first, err := s.ReadHour(t.Context(), noon, uuid.NewString())
		check(t, err)
		check(t, s.ClearHour(t.Context(), later))
		again, err := s.ReadHour(t.Context(), noon, uuid.NewString())
		check(t, err)
		if again.Event != first.Event {
			t.Fatalf("the hour's event changed from %s to %s", first.Event, again.Event)
		}
	})
}

// What is pulled is counted by tag and by manifest, and each of both by itself.
func TestPullsOfManifests(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		one, two := digest.FromString("one"), digest.FromString("two")
		check(t, s.Count(t.Context(), []Pull{{noon, "r1", "", one, 2, noon}, {noon, "r1", "", two, 0, noon}, {noon, "r1", "", "", 2, noon}}))
		check(t, s.Count(t.Context(), []Pull{{noon, "r1", "", one, 3, noon.Add(time.Minute)}, {noon, "r2", "", one, 1, noon}}))
		s = reopen()
		want := []Pull{{noon, "r1", "", one, 5, noon.Add(time.Minute)}, {noon, "r1", "", two, 0, noon}, {noon, "r1", "", "", 2, noon}}
		got, err := s.Of(t.Context(), "r1")
		check(t, err)
		mustEqual(t, got, want)
		h, err := s.ReadHour(t.Context(), noon, uuid.NewString())
		check(t, err)
		mustEqual(t, h.Pulls, append(want, Pull{noon, "r2", "", one, 1, noon}))
		check(t, s.ClearHour(t.Context(), noon))
		got, err = s.Of(t.Context(), "")
		check(t, err)
		mustEqual(t, got, nil)
	})
}

// What one event cannot list is in a later one.
func TestLargeHour(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		s.maxRows = 3
		var all []Pull
		for k := range 10 {
			all = append(all, Pull{noon, fmt.Sprint("r", k), "latest", "", 1, noon.Add(time.Microsecond)})
		}
		for k := range 4 {
			all = append(all, Pull{noon, "r1", "", digest.FromString(fmt.Sprint(k)), 1, noon.Add(time.Microsecond)})
		}
		check(t, s.Count(t.Context(), all))
		var found []Pull
		for k := range 4 {
			hour := noon.Add(time.Duration(k) * time.Hour)
			h, err := s.ReadHour(t.Context(), hour, uuid.NewString())
			check(t, err)
			again, err := s.ReadHour(t.Context(), hour, uuid.NewString())
			check(t, err)
			mustEqual(t, again.Pulls, h.Pulls)
			if len(h.Pulls) > 2*s.maxRows {
				t.Errorf("an hour of %d rows", len(h.Pulls))
			}
			for _, p := range h.Pulls {
				p.Hour = noon
				found = append(found, p)
			}
			check(t, s.ClearHour(t.Context(), hour))
		}
		mustEqual(t, found, all)
		left, err := s.Of(t.Context(), "")
		check(t, err)
		mustEqual(t, left, nil)
	})
}

// The event of an hour with all the rows it may have is a message that the log takes.
func TestLargestEvent(t *testing.T) {
	h := Hour{From: noon}
	for k := range maxRows {
		h.Pulls = append(h.Pulls, Pull{noon, uuid.NewString(), fmt.Sprintf("%0128d", k), "", math.MaxInt64, noon.Add(time.Microsecond)},
			Pull{noon, uuid.NewString(), "", digest.SHA512.FromString(fmt.Sprint(k)), math.MaxInt64, noon.Add(time.Microsecond)})
	}
	e := countsOf("0199d6a5-3c00-7000-8000-00000000000a", h)
	text, err := json.Marshal(e)
	check(t, err)
	if len(e.Repositories) != 2*maxRows || len(text) > 7<<20 {
		t.Errorf("%d bytes of %d repositories", len(text), len(e.Repositories))
	}
}

package pulls

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

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
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Tag, b.Tag))
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
			{noon.Add(time.Minute), "r1", "latest", 2, noon.Add(3 * time.Minute)},
			{noon.Add(time.Minute), "r1", "", 5, noon.Add(time.Minute)},
			{noon.Add(time.Hour), "r1", "latest", 1, noon.Add(time.Hour)},
		}))
		check(t, s.Count(t.Context(), []Pull{{noon, "r1", "latest", 1, noon.Add(2 * time.Minute)}}))
		s = reopen()
		first := []Pull{{noon, "r1", "latest", 3, noon.Add(3 * time.Minute)}, {noon, "r1", "", 5, noon.Add(time.Minute)}}
		second := Pull{noon.Add(time.Hour), "r1", "latest", 1, noon.Add(time.Hour)}
		all, err := s.Of(t.Context(), "")
		check(t, err)
		mustEqual(t, all, append(slices.Clone(first), second))
		check(t, s.Count(t.Context(), []Pull{{noon, "r2", "latest", 1, noon}}))
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
		mustEqual(t, h.Pulls, append(slices.Clone(first), Pull{noon, "r2", "latest", 1, noon}))
	})
}

func TestHourIsWrittenOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		counted := Pull{noon, "r1", "latest", 2, noon}
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
		mustEqual(t, rest, []Pull{{noon.Add(time.Hour), "r1", "latest", 4, noon}})
	})
}

// An hour that waits for its event keeps the event's id, however many later
// hours are cleared before.
func TestOldHourKeepsItsEvent(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, _ func() *Store) {
		later := noon.Add(10 * closedFor)
		check(t, s.Count(t.Context(), []Pull{{noon, "r1", "a", 1, noon}, {later, "r1", "a", 1, later}}))
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

package leases

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/pgtest"
)

// stores are the databases that every test runs on.
var stores = []struct {
	name string
	open func(t *testing.T) (open func() *Store)
}{
	{"sqlite", func(t *testing.T) func() *Store {
		path := filepath.Join(t.TempDir(), "leases.db")
		return func() *Store { return opened(t)(OpenSQLite(t.Context(), path)) }
	}},
	{"postgres", func(t *testing.T) func() *Store {
		url := postgres.URL(t)
		return func() *Store { return opened(t)(OpenPostgres(t.Context(), url)) }
	}},
}

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

func opened(t testing.TB) func(s *Store, err error) *Store {
	return func(s *Store, err error) *Store {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// onEach runs a test on every kind of store. reopen closes it and opens it again.
func onEach(t *testing.T, test func(t *testing.T, s *Store, reopen func() *Store)) {
	for _, kind := range stores {
		t.Run(kind.name, func(t *testing.T) {
			open := kind.open(t)
			s := open()
			t.Cleanup(func() { s.Close() })
			test(t, s, func() *Store {
				check(t, s.Close())
				s = open()
				return s
			})
		})
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func blob(text string) digest.Digest { return digest.FromString(text) }

func inAnHour() time.Time { return time.Now().Add(time.Hour) }

func mustHave(t *testing.T, s *Store, repo string, d digest.Digest, want bool) {
	t.Helper()
	_, has, err := s.Has(t.Context(), repo, d)
	check(t, err)
	if has != want {
		t.Fatalf("%s has a lease on %s: %v, want %v", repo, d, has, want)
	}
}

func mustMark(t *testing.T, s *Store, d digest.Digest, want bool) {
	t.Helper()
	marked, err := s.MarkLeaving(t.Context(), []digest.Digest{d})
	check(t, err)
	if got := len(marked) == 1; got != want {
		t.Fatalf("%s was marked: %v, want %v", d, got, want)
	}
}

func TestStoreKeepsItsIdentity(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store, reopen func() *Store) {
		node, created := s.Node(), s.Created()
		if len(node) != 36 || created.IsZero() || created.After(time.Now()) {
			t.Fatalf("node %q created %v", node, created)
		}
		s = reopen()
		if s.Node() != node || !s.Created().Equal(created) {
			t.Fatalf("after reopening: node %q created %v, want %q %v", s.Node(), s.Created(), node, created)
		}
	})
}

func TestClosedStoreRefuses(t *testing.T) {
	s := opened(t)(OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "leases.db")))
	check(t, s.Close())
	if err := s.Take(context.Background(), "a/b", inAnHour(), blob("x")); err == nil {
		t.Fatal("a closed store gave a lease")
	}
}

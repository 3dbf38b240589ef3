package leases

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/pgtest"
	"hubledger/services/internal/operations"
)

// stores are the databases that every test runs on.
var stores = []struct {
	name   string
	config func(t *testing.T) operations.Config
}{
	{"sqlite", func(t *testing.T) operations.Config { return file(t) }},
	{"postgres", func(t *testing.T) operations.Config { return operations.Config{PostgresURL: postgres.URL(t)} }},
}

func file(t testing.TB) operations.Config {
	return operations.Config{File: filepath.Join(t.TempDir(), operations.FileName)}
}

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

// open opens the fences of a store; end closes both.
func open(t testing.TB, c operations.Config) (s *Store, end func()) {
	t.Helper()
	ops, err := operations.Open(t.Context(), c)
	check(t, err)
	s, err = Open(t.Context(), ops)
	check(t, err)
	return s, func() {
		if err := errors.Join(s.Close(), ops.Close()); err != nil {
			t.Error(err)
		}
	}
}

// onEach runs a test on every kind of store. reopen closes it and opens it again.
func onEach(t *testing.T, test func(t *testing.T, s *Store, reopen func() *Store)) {
	for _, kind := range stores {
		t.Run(kind.name, func(t *testing.T) {
			config := kind.config(t)
			s, end := open(t, config)
			t.Cleanup(func() { end() })
			test(t, s, func() *Store {
				end()
				s, end = open(t, config)
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

func TestClosedStoreRefuses(t *testing.T) {
	s, end := open(t, file(t))
	end()
	if err := s.Take(context.Background(), "a/b", inAnHour(), blob("x")); err == nil {
		t.Fatal("a closed store gave a lease")
	}
}

package operations_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

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

var configs = map[string]func(t *testing.T) operations.Config{
	"sqlite": func(t *testing.T) operations.Config {
		return operations.Config{File: filepath.Join(t.TempDir(), operations.FileName)}
	},
	"postgres": func(t *testing.T) operations.Config { return operations.Config{PostgresURL: postgres.URL(t)} },
}

func open(t *testing.T, c operations.Config) *operations.Store {
	t.Helper()
	s, err := operations.Open(t.Context(), c)
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return s
}

// onEach runs a test on every kind of store.
func onEach(t *testing.T, test func(t *testing.T, c operations.Config)) {
	for name, config := range configs {
		t.Run(name, func(t *testing.T) { test(t, config(t)) })
	}
}

const things = `CREATE TABLE IF NOT EXISTS things (name TEXT NOT NULL PRIMARY KEY);
CREATE INDEX IF NOT EXISTS things_by_name ON things (name);`

func add(ctx context.Context, s *operations.Store, name string) error {
	return s.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		_, err := t.Exec(`INSERT INTO things (name) VALUES ($1)`, name)
		return err
	})
}

func names(t *testing.T, s *operations.Store) (list []string) {
	t.Helper()
	check(t, s.Query(t.Context(), func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		list = append(list, name)
		return err
	}, `SELECT name FROM things ORDER BY name`))
	return list
}

func TestStoreKeepsItsIdentity(t *testing.T) {
	onEach(t, func(t *testing.T, c operations.Config) {
		s := open(t, c)
		node, created := s.Node(), s.Created()
		if len(node) != 36 || created.IsZero() || created.After(time.Now()) {
			t.Fatalf("node %q created %v", node, created)
		}
		check(t, s.Define(t.Context(), things))
		check(t, add(t.Context(), s, "kept"))
		check(t, s.Close())
		s = open(t, c)
		check(t, s.Define(t.Context(), things))
		if s.Node() != node || !s.Created().Equal(created) {
			t.Fatalf("after reopening: node %q created %v, want %q %v", s.Node(), s.Created(), node, created)
		}
		if got := names(t, s); !slices.Equal(got, []string{"kept"}) {
			t.Errorf("stored: %q", got)
		}
	})
}

func TestClosedStoreRefuses(t *testing.T) {
	onEach(t, func(t *testing.T, c operations.Config) {
		s := open(t, c)
		check(t, s.Define(t.Context(), things))
		check(t, s.Close())
		if err := add(context.Background(), s, "late"); err == nil {
			t.Fatal("a closed store took a change")
		}
	})
}

// Nodes that start at once share one store.
func TestOpenAtOnce(t *testing.T) {
	c := configs["postgres"](t)
	var work sync.WaitGroup
	nodes := make([]string, 8)
	for i := range nodes {
		work.Go(func() {
			s, err := operations.Open(context.Background(), c)
			if err == nil {
				nodes[i] = s.Node()
				err = errors.Join(s.Define(context.Background(), things), s.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	for _, n := range nodes {
		if n != nodes[0] || n == "" {
			t.Errorf("%q", nodes)
		}
	}
}

// Changes that come together are all made, and one that refuses before it has
// written takes none with it.
func TestChangesAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, c operations.Config) {
		s := open(t, c)
		check(t, s.Define(t.Context(), things))
		refusal := errors.New("refused")
		var work sync.WaitGroup
		var want []string
		for i := range 40 {
			name := fmt.Sprintf("%02d", i)
			if i%4 > 0 {
				want = append(want, name)
			}
			work.Go(func() {
				if i%4 > 0 {
					if err := add(t.Context(), s, name); err != nil {
						t.Error(err)
					}
				} else if err := s.Change(t.Context(), operations.NoLock, func(*operations.Tx) error { return refusal }); !errors.Is(err, refusal) {
					t.Error(err)
				}
			})
		}
		work.Wait()
		if got := names(t, s); !slices.Equal(got, want) {
			t.Errorf("stored: %q", got)
		}
	})
}

// A failing wrapper sees every change and may lose what it says about it.
func TestAround(t *testing.T) {
	onEach(t, func(t *testing.T, c operations.Config) {
		lost, before := errors.New("lost"), true
		armed := false
		c.Around = func(_ context.Context, commit func() error) error {
			switch {
			case !armed:
				return commit()
			case before:
				return lost
			}
			return errors.Join(lost, commit())
		}
		s := open(t, c)
		check(t, s.Define(t.Context(), things))
		armed = true
		for _, before = range []bool{true, false} {
			if err := add(t.Context(), s, fmt.Sprint(before)); !errors.Is(err, lost) {
				t.Errorf("%v", err)
			}
		}
		if got := names(t, s); !slices.Equal(got, []string{"false"}) {
			t.Errorf("stored: %q", got)
		}
	})
}

// A mirrored counts rows in memory.
type mirrored struct{ n, loads int }

func (m *mirrored) Load(ctx context.Context, q operations.Querier) error {
	m.n, m.loads = 0, m.loads+1
	return operations.EachRow(ctx, q, func(*sql.Rows) error { m.n++; return nil }, `SELECT name FROM things`)
}

// After a rollback the mirror says again what is stored.
func TestMirrorAfterARollback(t *testing.T) {
	s := open(t, configs["sqlite"](t))
	check(t, s.Define(t.Context(), things))
	check(t, add(t.Context(), s, "first"))
	m := &mirrored{}
	check(t, s.Mirror(t.Context(), m))
	err := s.Change(t.Context(), operations.NoLock, func(tx *operations.Tx) error {
		_, err := tx.Exec(`INSERT INTO things (name) VALUES ('second')`)
		m.n++
		if err == nil {
			_, err = tx.Exec(`INSERT INTO nowhere VALUES (1)`)
		}
		return err
	})
	if err == nil || m.n != 1 || m.loads != 2 {
		t.Errorf("%v: %d mirrored, loaded %d times", err, m.n, m.loads)
	}
	shared := open(t, configs["postgres"](t))
	if err := shared.Mirror(t.Context(), m); err == nil || shared.Alone() {
		t.Error("a shared store was mirrored")
	}
}

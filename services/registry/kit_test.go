package registry_test

import (
	"os"
	"strconv"
	"testing"

	"hubledger/projections/pgtest"
	"hubledger/services/registry/registrytest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

// onEachLong is onEach for tests that take seconds: on PostgreSQL they run in
// CI and in a soak only.
func onEachLong(t *testing.T, test func(t *testing.T, h *registrytest.Hub)) {
	if soak() || os.Getenv("HUBLEDGER_REQUIRE") == "1" {
		onEach(t, registrytest.Config{}, test)
		return
	}
	t.Parallel()
	test(t, registrytest.Start(t, registrytest.Config{}))
}

// onEach runs a test on a hub over SQLite and on one over PostgreSQL.
func onEach(t *testing.T, c registrytest.Config, test func(t *testing.T, h *registrytest.Hub)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, registrytest.Start(t, c))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		on := c
		on.Postgres = postgres.URL(t)
		test(t, registrytest.Start(t, on))
	})
}

// soak says whether the long forms of tests are wanted.
func soak() bool { return os.Getenv("HUBLEDGER_SOAK") != "" }

// sized is the small number by default, the large one in the long soak, and a quarter of
// that with the other long tests.
func sized(small, large int) int {
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
		return small
	case "long":
		return large
	}
	return max(small, large/4)
}

func itoa(n int) string { return strconv.Itoa(n) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

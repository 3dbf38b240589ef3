package projections_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/projections/pgstore"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

// killMe names the store of a child process that projects until it is killed:
// "sqlite <seed> <dir>" or "postgres <seed> <url>".
const killMe = "HUBLEDGER_TEST_KILL"

func killHistory(seed uint64) (*projectiontest.Log, *rand.Rand) {
	rng := rand.New(rand.NewPCG(seed, 1))
	return projectiontest.RegistryEvents(rng, 500, 0), rng
}

// victim is the child: it says when it has committed.
func victim() {
	parts := strings.SplitN(os.Getenv(killMe), " ", 3)
	seed, _ := strconv.ParseUint(parts[1], 10, 64)
	storage := sqlitestore.Dir(parts[2])
	if parts[0] == "postgres" {
		storage = pgstore.URL(parts[2])
	}
	log, _ := killHistory(seed)
	store, err := storage.Open(context.Background(), &images.Projection, projections.Options{Generation: "g1", Logger: quiet})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := projections.NewRunner(projections.RunnerConfig{Store: store, Source: log, Logger: quiet, MaxBatch: 1 + int(rand.Uint32N(8)),
		OnCommit: func(c projections.Commit) { fmt.Println("committed", c.To) }})
	r.Run(context.Background())
}

// TestKill kills the process that projects, again and again, at some commit,
// and checks the rows in the end.
func TestKill(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			where := t.TempDir()
			storage := sqlitestore.Dir(where)
			if kind == "postgres" {
				where = postgres.URL(t)
				storage = pgstore.URL(where)
			}
			seed := projectiontest.Seed(t).Uint64()
			log, rng := killHistory(seed)
			last, _ := log.LastSeq(t.Context())
			for range rounds(4, 100) {
				child := exec.Command(os.Args[0])
				child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", killMe, kind, seed, where))
				child.Stderr = os.Stderr
				out, err := child.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := child.Start(); err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewScanner(out)
				left := 1 + rng.IntN(40)
				for left > 0 && lines.Scan() {
					if left--; lines.Text() == fmt.Sprint("committed ", last) {
						left = 0
					}
				}
				child.Process.Kill()
				if err := child.Wait(); err == nil || left > 0 {
					t.Fatalf("the child ended by itself: %v", err)
				}
			}
			store := open(t, storage, &images.Projection, projections.Options{})
			if err := projections.CatchUp(t.Context(), store, log, last, quiet); err != nil {
				t.Fatal(err)
			}
			clean := open(t, sqlitestore.Dir(t.TempDir()), &images.Projection, projections.Options{})
			if err := projections.CatchUp(t.Context(), clean, log, last, quiet); err != nil {
				t.Fatal(err)
			}
			projectiontest.Same(t, "killed and resumed", dump(t, clean), dump(t, store))
		})
	}
}

package pgstore_test

import (
	"context"
	"database/sql"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"hubledger/projections"
	"hubledger/projections/pgstore"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

type (
	step  = projectiontest.Step
	write = projectiontest.Write
)

var (
	synthetic = projectiontest.Synthetic
	open      = projectiontest.Open
	start     = projectiontest.Start
)

// exec runs statements in the schema of the synthetic projection, as somebody
// else than the runner would.
func exec(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, s := range append([]string{"SET search_path = synthetic_v1"}, statements...) {
		if _, err := conn.Exec(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func count(n int64) write { return write{Table: "counts", Key: 1, N: n} }

func counted(t testing.TB, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow(`SELECT n FROM counts WHERE "key" = 1`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFollowerTakesOver: of two processes one writes, the other follows and
// becomes the writer when the first ends.
func TestFollowerTakesOver(t *testing.T) {
	storage := pgstore.URL(postgres.URL(t))
	var log projectiontest.Log
	first := open(t, storage, synthetic, projections.Options{})
	r1, stop1 := start(t, first, &log, nil)
	wait := func(r *projections.Runner, seq uint64) {
		t.Helper()
		if err := r.Wait(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	wait(r1, log.Append(step{Writes: []write{count(1)}}.Event("a")))

	commits := make(chan projections.Commit, 1000)
	second := open(t, storage, synthetic, projections.Options{})
	r2, _ := start(t, second, &log, func(_ *projections.Runner, c projections.Commit) { commits <- c })
	wait(r2, 1)
	for range 20 {
		seq := log.Append(step{Writes: []write{count(1)}}.Event("a"))
		wait(r2, seq)
		if got := counted(t, second.DB()); got != int(seq) {
			t.Fatalf("the follower counts %d at event %d", got, seq)
		}
	}
	for len(commits) > 0 {
		if c := <-commits; c.Events != nil {
			t.Errorf("the follower was told events %d to %d that it did not commit", c.From, c.To)
		}
	}
	log.Append(step{Poison: "error"}.Event("bad"))
	wait(r1, log.Append(step{Writes: []write{count(1)}}.Event("a")))
	wait(r2, 23)
	if !r2.IsParked("evt._.synthetic.bad") {
		t.Error("the follower does not know what is parked")
	}
	stop1()
	for range 20 {
		wait(r2, log.Append(step{Writes: []write{count(1)}}.Event("a")))
	}
	if got := counted(t, second.DB()); got != 42 {
		t.Errorf("counted %d of 42", got)
	}
}

// TestFence: a writer whose session or epoch is gone commits no more, and
// nothing is lost or done twice.
func TestFence(t *testing.T) {
	url := postgres.URL(t)
	storage := pgstore.URL(url)
	var log projectiontest.Log
	store := open(t, storage, synthetic, projections.Options{})
	r, _ := start(t, store, &log, nil)
	epoch := func() (n int) {
		t.Helper()
		if err := store.DB().QueryRow(`SELECT epoch FROM _store`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := 0
	push := func() {
		t.Helper()
		n++
		if err := r.Wait(t.Context(), log.Append(step{Writes: []write{count(1)}}.Event("a"))); err != nil {
			t.Fatal(err)
		}
	}
	push()
	for _, trouble := range []string{
		`UPDATE _store SET epoch = epoch + 1`, // another writer was here
		`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`,
		`UPDATE _store SET position = position - 1, epoch = epoch + 1; UPDATE counts SET n = n - 1`, // a crash of the server
	} {
		exec(t, url, trouble)
		before := epoch()
		push()
		push()
		if after := epoch(); after == before {
			t.Fatalf("after %s the stale writer went on", trouble)
		}
		if got := counted(t, store.DB()); got != n {
			t.Fatalf("after %s: counted %d of %d", trouble, got, n)
		}
	}
	if r.HasParked() {
		t.Error("trouble was parked")
	}
}

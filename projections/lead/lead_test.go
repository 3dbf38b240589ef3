package lead_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"hubledger/projections/lead"
	"hubledger/projections/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A node is a process of its own, as far as the lock can tell.
type node struct {
	began chan struct{} // this node leads
	ended chan struct{} // the context of lead has ended
	stop  context.CancelFunc
	done  chan error // what Run returned
}

// start lets a node take part; leaders counts the nodes that lead.
func start(t *testing.T, url string, leaders *atomic.Int32) *node {
	ctx, cancel := context.WithCancel(context.Background())
	n := &node{make(chan struct{}), make(chan struct{}), cancel, make(chan error, 1)}
	over := make(chan struct{}) // the test does not listen any more
	tell := func(to chan struct{}) {
		select {
		case to <- struct{}{}:
		case <-over:
		}
	}
	running := make(chan struct{})
	go func() {
		defer close(running)
		n.done <- lead.New(url, quiet).Run(ctx, "builds", func(ctx context.Context) error {
			if leaders.Add(1) > 1 {
				t.Error("two nodes lead at the same time")
			}
			tell(n.began)
			<-ctx.Done()
			leaders.Add(-1)
			tell(n.ended)
			return ctx.Err()
		})
	}()
	t.Cleanup(func() { close(over); cancel(); <-running })
	return n
}

// await returns when that many nodes have asked for the lock.
func await(t *testing.T, url string, nodes int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for n := 0; n < nodes; {
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND application_name = 'hubledger lead builds' AND state = 'idle' AND query <> ''`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// terminate ends all sessions that hold an advisory lock.
func terminate(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tag, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
		WHERE locktype = 'advisory' AND granted AND datname = current_database()`)
	if err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%d sessions terminated, %v", tag.RowsAffected(), err)
	}
}

func TestOneNodeLeads(t *testing.T) {
	url := postgres.URL(t)
	var leaders atomic.Int32
	first := start(t, url, &leaders)
	<-first.began
	second := start(t, url, &leaders)
	await(t, url, 2)
	terminate(t, url)
	<-first.ended
	first.stop() // it would try again
	if err := <-first.done; err != nil {
		t.Errorf("Run of the first: %v", err)
	}
	<-second.began
	second.stop()
	<-second.ended
	if err := <-second.done; err != nil {
		t.Errorf("Run of the second: %v", err)
	}
}

// TestLostLeadIsTakenAgain ends the leader's session again and again: there is
// always a next leader, and never two.
func TestLostLeadIsTakenAgain(t *testing.T) {
	url := postgres.URL(t)
	var leaders atomic.Int32
	a, b := start(t, url, &leaders), start(t, url, &leaders)
	for range 3 {
		var leader *node
		select {
		case <-a.began:
			leader = a
		case <-b.began:
			leader = b
		}
		await(t, url, 2)
		terminate(t, url)
		<-leader.ended
	}
}

// A leader that returns gives the lead away at once, not when its session ends.
func TestReturnGivesTheLeadAway(t *testing.T) {
	url := postgres.URL(t)
	var leaders atomic.Int32
	lock := lead.New(url, quiet)
	failed := errors.New("failed")
	for _, want := range []error{nil, failed} {
		if err := lock.Run(t.Context(), "builds", func(context.Context) error { return want }); !errors.Is(err, want) {
			t.Errorf("Run returned %v, want %v", err, want)
		}
	}
	other := start(t, url, &leaders)
	<-other.began
	if err := lock.Run(t.Context(), "deploys", func(context.Context) error { return nil }); err != nil {
		t.Errorf("another name: %v", err)
	}
}

func TestAloneWithoutDatabase(t *testing.T) {
	failed := errors.New("failed")
	lock := lead.New("", quiet)
	if err := lock.Run(t.Context(), "builds", func(context.Context) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("Run returned %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := lock.Run(ctx, "builds", func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		t.Errorf("Run returned %v when its context ended", err)
	}
}

func TestUnreachableDatabaseIsTriedUntilTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tried := make(chan struct{})
	log := slog.New(slog.NewTextHandler(writer(func() { tried <- struct{}{} }), nil))
	go func() { <-tried; cancel() }()
	err := lead.New("postgres://postgres@127.0.0.1:1/none?sslmode=disable", log).Run(ctx, "builds", func(context.Context) error {
		t.Error("leads without the lock")
		return nil
	})
	if err != nil {
		t.Errorf("Run returned %v", err)
	}
}

// writer is called with each line of a log.
type writer func()

func (w writer) Write(p []byte) (int, error) { w(); return len(p), nil }

package pglock_test

import (
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hubledger/projections/internal/pglock"
	"hubledger/projections/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pglock.Connect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pglock.Close(conn) })
	return conn
}

func TestLockIsOfOneSession(t *testing.T) {
	url := postgres.URL(t)
	first, second := connect(t, url), connect(t, url)
	try := func(conn *pgx.Conn, name string, want bool) {
		t.Helper()
		if got, err := pglock.Try(t.Context(), conn, name); got != want || err != nil {
			t.Errorf("locked %s: %v, %v", name, got, err)
		}
	}
	try(first, "a", true)
	try(second, "a", false)
	try(second, "b", true)
	if err := pglock.Idle(t.Context(), second, time.Millisecond); err != nil {
		t.Errorf("idle: %v", err)
	}
	pglock.Close(first)
	try(second, "a", true)
	if err := pglock.Idle(t.Context(), first, time.Hour); err == nil {
		t.Error("a closed session is idle")
	}
}

// The server looks after a silent client within seconds.
func TestKeepalive(t *testing.T) {
	conn := connect(t, postgres.URL(t))
	for name, want := range map[string]string{"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"} {
		var got string
		if err := conn.QueryRow(t.Context(), "SHOW "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v", name, got, err)
		}
	}
}

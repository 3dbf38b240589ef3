package projections_test

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"

	"hubledger/projections"
)

// outside runs statements on a store as somebody else would.
type outside func(t testing.TB, statements ...string)

// meddled are stores that the test can reach behind the runner's back.
func meddled(t *testing.T, test func(t *testing.T, place projections.Place, do outside, refuse, allow string)) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		test(t, projections.SQLiteDir(dir), sqliteOutside(dir+"/synthetic-v1.db"),
			`CREATE TRIGGER refuse BEFORE INSERT ON current WHEN new.note = 'bad' BEGIN SELECT RAISE(ABORT, 'bad'); END`, `DROP TRIGGER refuse`)
	})
	t.Run("postgres", func(t *testing.T) {
		url := postgres.URL(t)
		test(t, projections.PostgresURL(url), postgresOutside(url),
			`ALTER TABLE current ADD CONSTRAINT refuse CHECK (note <> 'bad')`, `ALTER TABLE current DROP CONSTRAINT refuse`)
	})
}

func sqliteOutside(path string) outside {
	return func(t testing.TB, statements ...string) {
		t.Helper()
		conn, err := new(sqlite.Driver).Open("file:" + path + "?_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, s := range statements {
			if _, err := conn.(driver.ExecerContext).ExecContext(context.Background(), s, nil); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
}

func postgresOutside(url string) outside {
	return func(t testing.TB, statements ...string) {
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
}

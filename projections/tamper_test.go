package projections_test

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"

	"hubledger/projections"
	"hubledger/projections/pgstore"
	"hubledger/projections/sqlitestore"
)

// tamper runs statements on a store as somebody else than the runner would.
type tamper func(t testing.TB, statements ...string)

// onEveryTamperedStorage runs a test that changes the stores behind the runner's
// back. The statement refuse makes a store refuse rows with the note "bad".
func onEveryTamperedStorage(t *testing.T, test func(t *testing.T, storage projections.Storage, do tamper, refuse string)) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		test(t, sqlitestore.Dir(dir), tamperSQLite(dir+"/synthetic-v1.db"),
			`CREATE TRIGGER refuse BEFORE INSERT ON current WHEN new.note = 'bad' BEGIN SELECT RAISE(ABORT, 'bad'); END`)
	})
	t.Run("postgres", func(t *testing.T) {
		url := postgres.URL(t)
		test(t, pgstore.URL(url), tamperPostgres(url),
			`ALTER TABLE current ADD CONSTRAINT refuse CHECK (note <> 'bad')`)
	})
}

func tamperSQLite(path string) tamper {
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

func tamperPostgres(url string) tamper {
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

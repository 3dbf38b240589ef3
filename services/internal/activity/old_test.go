package activity_test

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"hubledger/services/internal/activity"
	"hubledger/services/internal/operations"
)

// What older versions kept: the tables as they made them.
const oldTables = `
CREATE TABLE meta (id BIGINT NOT NULL PRIMARY KEY, node TEXT NOT NULL);
CREATE TABLE used (credential TEXT NOT NULL PRIMARY KEY, latest BIGINT NOT NULL);
CREATE TABLE answers (id BYTEA NOT NULL PRIMARY KEY, owner BYTEA NOT NULL, request BYTEA NOT NULL, claim TEXT NOT NULL,
	until BIGINT NOT NULL, answer BYTEA NOT NULL);
INSERT INTO meta (id, node) VALUES (1, 'another node id');
`

// An oldPlace is where an older version kept activity.
type oldPlace struct {
	db    func(t *testing.T, c operations.Config) *sql.DB
	there func(t *testing.T, c operations.Config) bool
}

var oldPlaces = map[string]oldPlace{
	"sqlite": {
		func(t *testing.T, c operations.Config) *sql.DB {
			db, err := operations.OpenFile(filepath.Join(filepath.Dir(c.File), "activity.db"))
			check(t, err)
			return db
		},
		func(t *testing.T, c operations.Config) bool {
			_, err := os.Stat(filepath.Join(filepath.Dir(c.File), "activity.db"))
			return err == nil
		},
	},
	"postgres": {
		func(t *testing.T, c operations.Config) *sql.DB {
			db, err := sql.Open("pgx", c.PostgresURL)
			check(t, err)
			_, err = db.Exec("CREATE SCHEMA hubledger_activity")
			check(t, err)
			check(t, db.Close())
			db, err = sql.Open("pgx", c.PostgresURL+"&search_path=hubledger_activity")
			check(t, err)
			return db
		},
		func(t *testing.T, c operations.Config) bool {
			db, err := sql.Open("pgx", c.PostgresURL)
			check(t, err)
			defer db.Close()
			var n int
			check(t, db.QueryRow("SELECT count(*) FROM pg_namespace WHERE nspname = 'hubledger_activity'").Scan(&n))
			return n == 1
		},
	},
}

// copyRows copies a table from the operational store to the old place.
func copyRows(t *testing.T, from *operations.Store, to *sql.DB, table string, columns ...string) {
	t.Helper()
	err := from.Query(t.Context(), func(rows *sql.Rows) error {
		values, into, marks := make([]any, len(columns)), make([]any, len(columns)), make([]string, len(columns))
		for i := range values {
			into[i], marks[i] = &values[i], "$"+string(rune('1'+i))
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		_, err := to.Exec("INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", values...)
		return err
	}, "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
	check(t, err)
}

// The store of an older version is taken over, and stays for that version.
func TestTakeOver(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			now, request := time.Now(), []byte("POST /api/v1/tokens")
			// An older version's rows are made by this one, and moved to the old place.
			made := open(t, config(t))
			made.Touch("a", at)
			made.Touch("b", at)
			check(t, made.Flush(t.Context()))
			_, claim, err := made.Begin(t.Context(), "user 1", key, request, now)
			check(t, err)
			check(t, claim.Finish(t.Context(), activity.Answer{Status: 201, Header: http.Header{}, Body: []byte("made once")}, now))
			_, claim, err = made.Begin(t.Context(), "user 2", key, request, now)
			check(t, err)
			check(t, claim.Finish(t.Context(), activity.Answer{Status: 201, Header: http.Header{}}, now.Add(-activity.AnswerTTL)))
			c, place := config(t), oldPlaces[name]
			old := place.db(t, c)
			_, err = old.Exec(oldTables)
			check(t, err)
			copyRows(t, made.ops, old, "used", "credential", "latest")
			copyRows(t, made.ops, old, "answers", "id", "owner", "request", "claim", "until", "answer")
			check(t, made.Close())
			defer old.Close()

			ops, err := operations.Open(t.Context(), c)
			check(t, err)
			node := ops.Node()
			check(t, ops.Close())
			for round := range 2 {
				s := open(t, c)
				if s.Node() != node {
					t.Errorf("the node is %q, not the operational store's %q", s.Node(), node)
				}
				used, err := s.LastUsed(t.Context(), "a", "b")
				if err != nil || len(used) != 2 || !used["a"].Equal(at) || !used["b"].Equal(at.Add(time.Duration(round)*time.Hour)) {
					t.Errorf("used: %v, %v", used, err)
				}
				answers := 0
				check(t, s.ops.Query(t.Context(), func(rows *sql.Rows) error { return rows.Scan(&answers) }, "SELECT count(*) FROM answers"))
				if answers != 1 {
					t.Errorf("%d answers, also one that had expired", answers)
				}
				prior, _, err := s.Begin(t.Context(), "user 1", key, request, now)
				if err != nil || prior == nil || !bytes.Equal(prior.Body, []byte("made once")) {
					t.Errorf("the answer was not taken over: %+v, %v", prior, err)
				}
				if !place.there(t, c) {
					t.Error("the old store is gone, on which nodes of the older version may run")
				}
				check(t, s.Close())
				// A node of the older version goes on.
				_, err = old.Exec("UPDATE used SET latest = $1 WHERE credential = 'b'", at.Add(time.Hour).UnixMicro())
				check(t, err)
			}
		})
	}
}

// Taking over again takes nothing back: what was used since stays.
func TestTakeOverAgain(t *testing.T) {
	c := configs["sqlite"](t)
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := open(t, c)
	s.Touch("a", at.Add(time.Hour))
	check(t, s.Close())
	old := oldPlaces["sqlite"].db(t, c)
	_, err := old.Exec(oldTables)
	check(t, err)
	_, err = old.Exec("INSERT INTO used (credential, latest) VALUES ('a', $1)", at.UnixMicro())
	check(t, errors.Join(err, old.Close()))
	s = open(t, c)
	used, err := s.LastUsed(t.Context(), "a")
	if err != nil || !used["a"].Equal(at.Add(time.Hour)) {
		t.Errorf("used: %v, %v", used, err)
	}
	check(t, s.Close())
}

// A file that cannot be read is kept, and the error says what it had and what to do.
func TestTakeOverOfADamagedFile(t *testing.T) {
	c := configs["sqlite"](t)
	path := filepath.Join(filepath.Dir(c.File), "activity.db")
	noise := make([]byte, 8192)
	rand.Read(noise)
	check(t, os.WriteFile(path, noise, 0o600))
	ops, err := operations.Open(t.Context(), c)
	check(t, err)
	defer ops.Close()
	if _, err := activity.Open(t.Context(), ops); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move the file away") {
		t.Errorf("opened: %v", err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Error("the file is gone")
	}
}

package sources

import (
	"context"
	"database/sql"
	"time"

	"hubledger/services/internal/operations"
	"hubledger/services/sources/hoststatus"
)

// The tables of what git hosts were told, in words that SQLite and PostgreSQL share. Times
// are microseconds since 1970 UTC. Without them the same is sent again, which changes
// nothing.
const statusSchema = `
CREATE TABLE IF NOT EXISTS commit_statuses (
	line  TEXT NOT NULL PRIMARY KEY, -- repository, source, commit and rule
	build TEXT NOT NULL,             -- id of the build
	state TEXT NOT NULL              -- that was sent of it
);
CREATE TABLE IF NOT EXISTS status_hosts (
	source   TEXT   NOT NULL PRIMARY KEY, -- id
	settings BIGINT NOT NULL,             -- sequence of the settings that it is about
	at       BIGINT NOT NULL,             -- when something was sent last
	until    BIGINT NOT NULL,             -- time before which nothing is sent
	failures BIGINT NOT NULL,             -- how often in a row the token was refused
	error    TEXT   NOT NULL              -- of what was sent last, empty when it was taken
);
`

// A told is what a git host was told last.
type told struct {
	Build string // id
	State hoststatus.State
}

// A hostRow is how it goes with telling the git host of a source.
type hostRow struct {
	Settings  uint64
	At, Until time.Time // Until is zero for at once
	Failures  int
	Error     string
}

type toldStore struct{ *operations.Store }

func (s toldStore) define(ctx context.Context) error { return s.Define(ctx, statusSchema) }

func (s toldStore) read(ctx context.Context, query string, args ...any) (map[string]told, error) {
	list := map[string]told{}
	err := s.Query(ctx, func(rows *sql.Rows) error {
		var line string
		var t told
		err := rows.Scan(&line, &t.Build, &t.State)
		list[line] = t
		return err
	}, query, args...)
	return list, err
}

// all is what was told, by line.
func (s toldStore) all(ctx context.Context) (map[string]told, error) {
	return s.read(ctx, `SELECT line, build, state FROM commit_statuses`)
}

// of is what was told of a line; the zero value for nothing.
func (s toldStore) of(ctx context.Context, line string) (told, error) {
	list, err := s.read(ctx, `SELECT line, build, state FROM commit_statuses WHERE line = $1`, line)
	return list[line], err
}

func (s toldStore) keep(ctx context.Context, line string, t told) error {
	return s.exec(ctx, `INSERT INTO commit_statuses (line, build, state) VALUES ($1, $2, $3)
		ON CONFLICT (line) DO UPDATE SET build = excluded.build, state = excluded.state`, line, t.Build, string(t.State))
}

func (s toldStore) forget(ctx context.Context, line string) error {
	return s.exec(ctx, `DELETE FROM commit_statuses WHERE line = $1`, line)
}

// host is the zero value when nothing was sent to the git host of a source.
func (s toldStore) host(ctx context.Context, source string) (h hostRow, err error) {
	err = s.Query(ctx, func(rows *sql.Rows) error {
		var at, until int64
		err := rows.Scan(&h.Settings, &at, &until, &h.Failures, &h.Error)
		h.At = operations.Time(at)
		if until > 0 {
			h.Until = operations.Time(until)
		}
		return err
	}, `SELECT settings, at, until, failures, error FROM status_hosts WHERE source = $1`, source)
	return h, err
}

func (s toldStore) keepHost(ctx context.Context, source string, h hostRow) error {
	until := int64(0)
	if !h.Until.IsZero() {
		until = operations.Micros(h.Until)
	}
	return s.exec(ctx, `INSERT INTO status_hosts (source, settings, at, until, failures, error) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (source) DO UPDATE SET settings = excluded.settings, at = excluded.at, until = excluded.until, failures = excluded.failures, error = excluded.error`,
		source, int64(h.Settings), operations.Micros(h.At), until, h.Failures, operations.Storable(h.Error))
}

// forgetHost is for a source that was unlinked.
func (s toldStore) forgetHost(ctx context.Context, source string) error {
	return s.exec(ctx, `DELETE FROM status_hosts WHERE source = $1`, source)
}

func (s toldStore) exec(ctx context.Context, statement string, args ...any) error {
	return s.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		_, err := t.Exec(statement, args...)
		return err
	})
}

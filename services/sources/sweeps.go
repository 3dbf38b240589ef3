package sources

import (
	"context"
	"database/sql"
	"time"

	"hubledger/services/internal/operations"
)

// The table of sweeps, in words that SQLite and PostgreSQL share. Times are
// microseconds since 1970 UTC.
const sweepSchema = `
CREATE TABLE IF NOT EXISTS sweeps (
	source   TEXT   NOT NULL PRIMARY KEY, -- id
	at       BIGINT NOT NULL,             -- when the latest sweep ended
	next     BIGINT NOT NULL,             -- when the next one is due
	settings BIGINT NOT NULL,             -- sequence of the settings and rules that it went by
	hook     BIGINT NOT NULL,             -- sequence of the latest webhook before it began
	refs     BIGINT NOT NULL,             -- that there were
	moved    BIGINT NOT NULL,             -- of those
	quiet    BIGINT NOT NULL,             -- sweeps in a row without a move
	failures BIGINT NOT NULL,             -- in a row
	error    TEXT   NOT NULL,             -- of the latest sweep
	asked    BIGINT NOT NULL,             -- how often somebody has asked for a sweep
	answered BIGINT NOT NULL,             -- how often of those before the latest sweep began
	cause    TEXT   NOT NULL              -- id of the event because of which somebody asked last, empty for none
);
`

// A sweep is what is kept of a source's latest look at its git host. Losing it
// makes the source due.
type sweep struct {
	At, Next        time.Time
	Settings, Hook  uint64
	Refs, Moved     int
	Quiet, Failures int
	Error           string
	Asked, Answered int
	Cause           string
}

type sweepStore struct{ *operations.Store }

func (s sweepStore) define(ctx context.Context) error { return s.Define(ctx, sweepSchema) }

const sweepColumns = `SELECT source, at, next, settings, hook, refs, moved, quiet, failures, error, asked, answered, cause FROM sweeps`

func (s sweepStore) read(ctx context.Context, query string, args ...any) (map[string]sweep, error) {
	list := map[string]sweep{}
	err := s.Query(ctx, func(rows *sql.Rows) error {
		var id string
		var w sweep
		var at, next int64
		err := rows.Scan(&id, &at, &next, &w.Settings, &w.Hook, &w.Refs, &w.Moved, &w.Quiet, &w.Failures, &w.Error, &w.Asked, &w.Answered, &w.Cause)
		w.At, w.Next = operations.Time(at), operations.Time(next)
		list[id] = w
		return err
	}, query, args...)
	return list, err
}

func (s sweepStore) all(ctx context.Context) (map[string]sweep, error) {
	return s.read(ctx, sweepColumns)
}

// of is the sweep of a source; ok is false when there was none.
func (s sweepStore) of(ctx context.Context, source string) (w sweep, ok bool, err error) {
	list, err := s.read(ctx, sweepColumns+` WHERE source = $1`, source)
	w, ok = list[source]
	return w, ok, err
}

// keep notes how a sweep went; what was asked for since it began stays.
func (s sweepStore) keep(ctx context.Context, source string, w sweep) error {
	return s.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		_, err := t.Exec(`INSERT INTO sweeps (source, at, next, settings, hook, refs, moved, quiet, failures, error, asked, answered, cause)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, '')
			ON CONFLICT (source) DO UPDATE SET at = excluded.at, next = excluded.next, settings = excluded.settings, hook = excluded.hook,
			refs = excluded.refs, moved = excluded.moved, quiet = excluded.quiet, failures = excluded.failures, error = excluded.error,
			answered = excluded.answered`,
			source, operations.Micros(w.At), operations.Micros(w.Next), int64(w.Settings), int64(w.Hook), w.Refs, w.Moved, w.Quiet, w.Failures, operations.Storable(w.Error), w.Answered)
		return err
	})
}

// ask makes a source due, also while it is being swept. cause is the id of the event
// that makes somebody ask, "" for none.
func (s sweepStore) ask(ctx context.Context, source, cause string) error {
	return s.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		_, err := t.Exec(`UPDATE sweeps SET asked = asked + 1, cause = $2 WHERE source = $1`, source, cause)
		return err
	})
}

func (s sweepStore) forget(ctx context.Context, source string) error {
	return s.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		_, err := t.Exec(`DELETE FROM sweeps WHERE source = $1`, source)
		return err
	})
}

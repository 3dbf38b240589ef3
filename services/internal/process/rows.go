package process

import (
	"context"
	"database/sql"
	"time"

	"hubledger/services/internal/operations"
)

// The table, in words that SQLite and PostgreSQL share. Times are microseconds
// since 1970 UTC.
const schema = `
CREATE TABLE IF NOT EXISTS tasks (
	manager     TEXT   NOT NULL,
	task        TEXT   NOT NULL, -- key
	cause       TEXT   NOT NULL,
	correlation TEXT   NOT NULL,
	attempts    BIGINT NOT NULL, -- that have begun
	next        BIGINT NOT NULL, -- time of the next one
	expect      BIGINT NOT NULL, -- what the completing event's append expects; -1 before it
	done        BIGINT NOT NULL, -- sequence of the completing event; 0 before it
	dead        BIGINT NOT NULL, -- time since when it is a dead letter; 0: it is none
	error       TEXT   NOT NULL, -- of the last attempt that failed
	PRIMARY KEY (manager, task)
);
`

// A row is what is kept of a task from its first attempt until it is no longer due.
type row struct {
	Task
	attempts int
	next     time.Time
	expect   int64
	done     uint64
	dead     time.Time // zero: it is no dead letter
	err      string
}

const noExpectation = -1

func newRow(t Task) row { return row{Task: t, expect: noExpectation} }

// rows reads what is kept of the manager's tasks. While nothing is, as nearly always,
// it does not ask the store: only the one who leads the manager adds rows. What another
// node added as it lost the lead is seen when the manager next looks by itself.
func (r *Runner) rows(ctx context.Context) (map[string]row, error) {
	list := map[string]row{}
	kept := r.kept.Load()
	if r.none.Load() == kept {
		return list, nil
	}
	err := r.Store.Query(ctx, func(rows *sql.Rows) error {
		var t row
		var next, done, dead int64
		err := rows.Scan(&t.Key, &t.Cause, &t.Correlation, &t.attempts, &next, &t.expect, &done, &dead, &t.err)
		t.next, t.done = operations.Time(next), uint64(done)
		if dead != 0 {
			t.dead = operations.Time(dead)
		}
		list[t.Key] = t
		return err
	}, `SELECT task, cause, correlation, attempts, next, expect, done, dead, error FROM tasks WHERE manager = $1`, r.m.Name)
	if err == nil && len(list) == 0 {
		r.none.Store(kept)
	}
	return list, err
}

// keep writes a row. Only the one who leads the manager writes them.
func (r *Runner) keep(ctx context.Context, t row) error {
	defer r.kept.Add(1) // whether it succeeds or not
	var dead int64
	if !t.dead.IsZero() {
		dead = operations.Micros(t.dead)
	}
	return r.exec(ctx, `INSERT INTO tasks (manager, task, cause, correlation, attempts, next, expect, done, dead, error)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (manager, task) DO UPDATE SET attempts = excluded.attempts, next = excluded.next, expect = excluded.expect,
		done = excluded.done, dead = excluded.dead, error = excluded.error`,
		r.m.Name, t.Key, t.Cause, t.Correlation, t.attempts, operations.Micros(t.next), t.expect, int64(t.done), dead, operations.Storable(t.err))
}

// keepUnlessTaken writes a row after an attempt that was broken off, unless another node,
// which leads the manager now, has begun one since.
func (r *Runner) keepUnlessTaken(ctx context.Context, t row, attempts int) error {
	return r.exec(ctx, `UPDATE tasks SET attempts = $3, next = $4 WHERE manager = $1 AND task = $2 AND attempts = $5`,
		r.m.Name, t.Key, t.attempts, operations.Micros(t.next), attempts)
}

// forget removes the row of a task that is no longer due.
func (r *Runner) forget(ctx context.Context, key string) error {
	return r.exec(ctx, `DELETE FROM tasks WHERE manager = $1 AND task = $2`, r.m.Name, key)
}

func (r *Runner) exec(ctx context.Context, query string, args ...any) error {
	return r.Store.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		_, err := t.Exec(query, args...)
		return err
	})
}

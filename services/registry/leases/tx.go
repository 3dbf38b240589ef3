package leases

import (
	"context"
	"database/sql"
	"errors"
)

// A changer runs one change as a transaction, alone or together with others.
// fn decides first and writes then: when it returns an error without having
// written, the others' changes are kept. lock is what it reads in order to
// decide, and matters where other nodes write too.
type changer interface {
	run(ctx context.Context, lock lock, fn func(tx *tx) error) error
	close() error
}

// A lock is taken at the start of a transaction on a shared database, where a
// decision would otherwise not see what another node is about to commit.
// Alone in its process SQLite has one writer, and needs none.
type lock string

const (
	noLock     lock = ""
	givesHolds lock = "LOCK TABLE leaving IN ROW SHARE MODE"    // with others that do
	givesMarks lock = "LOCK TABLE leaving IN EXCLUSIVE MODE"    // alone
	countsHour lock = "LOCK TABLE pull_hours IN ROW SHARE MODE" // with others that do
	closesHour lock = "LOCK TABLE pull_hours IN EXCLUSIVE MODE" // alone
)

// A querier is a transaction of either store.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// A tx is the transaction that a change runs in.
type tx struct {
	ctx    context.Context
	q      querier
	fences fences
	mem    *mirror // as in Store
	failed error   // the first error of a statement: the transaction is lost
}

// fences are what decisions rest on: the mirror, or the tables themselves.
type fences interface {
	// leaving returns those of the digests that have a mark.
	leaving(ds []packed) ([]packed, error)
	// claim says whether a digest has no live lease or pin. The mirror marks
	// it as leaving in the same moment, against pins that it alone knows.
	claim(d packed, now int64) (bool, error)
	// lease returns until when a repository's lease holds.
	lease(repo string, d packed) (until int64, ok bool, err error)
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.q.ExecContext(t.ctx, query, args...)
	if err != nil {
		t.failed = errors.Join(t.failed, err)
		return 0, err
	}
	return res.RowsAffected()
}

// query calls scan for each row.
func (t *tx) query(scan func(rows *sql.Rows) error, query string, args ...any) error {
	err := queryAll(t.ctx, t.q, scan, query, args...)
	if err != nil {
		t.failed = errors.Join(t.failed, err)
	}
	return err
}

func queryAll(ctx context.Context, q querier, scan func(rows *sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

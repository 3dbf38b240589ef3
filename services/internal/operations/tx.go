package operations

import (
	"context"
	"database/sql"
	"errors"
)

// A changer runs changes on one kind of database.
type changer interface {
	run(ctx context.Context, lock Lock, fn func(t *Tx) error) error
	define(ctx context.Context, schema string) error
	close() error
}

// A Lock is the statement that is run first in a transaction on a shared
// database, where a decision would otherwise not see what another node is
// about to commit. Alone in its process SQLite has one writer, and needs none.
type Lock string

// NoLock is for changes that decide nothing.
const NoLock Lock = ""

// A Querier is a connection or a transaction of either database.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// A Tx is the transaction that a change runs in.
type Tx struct {
	ctx    context.Context
	q      Querier
	failed error // the first error of a statement: the transaction is lost
	wrote  int   // pages, estimated
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	res, err := t.q.ExecContext(t.ctx, query, args...)
	if err != nil {
		t.failed = errors.Join(t.failed, err)
		return 0, err
	}
	n, err := res.RowsAffected()
	t.wrote += 2*int(n) + bytesIn(args)>>12
	return n, err
}

// bytesIn is how long the texts and blobs among a statement's arguments are.
func bytesIn(args []any) (n int) {
	for _, a := range args {
		switch a := a.(type) {
		case []byte:
			n += len(a)
		case string:
			n += len(a)
		}
	}
	return n
}

// Query calls scan for each row.
func (t *Tx) Query(scan func(rows *sql.Rows) error, query string, args ...any) error {
	err := EachRow(t.ctx, t.q, scan, query, args...)
	if err != nil {
		t.failed = errors.Join(t.failed, err)
	}
	return err
}

// EachRow calls scan for each row of a query.
func EachRow(ctx context.Context, q Querier, scan func(rows *sql.Rows) error, query string, args ...any) error {
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

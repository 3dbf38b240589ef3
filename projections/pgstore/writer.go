package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hubledger/projections"
	"hubledger/projections/internal/pglock"
)

// errFenced: another process has become the writer, or moved the position.
var errFenced = errors.New("another process writes this store now")

// movePosition is the first statement of every commit. It fails unless the
// writer is the last one and knows where the store stands; the row lock makes
// a stale one wait and then see the newer epoch.
const movePosition = `UPDATE _store SET position = CASE WHEN epoch = $1 AND position = $2 THEN $3
	ELSE ('fenced: epoch ' || epoch || ', position ' || position)::bigint END`

// A writer holds the connection with the advisory lock.
type writer struct {
	store *store
	conn  *pgx.Conn
	from  uint64
	epoch int64
	count int                           // parked events, told to the followers
	sql   [][projections.Actions]string // by table; written when first needed
}

func (w *writer) Position() uint64 { return w.from }

// Release ends the session and with it the lock.
func (w *writer) Release() { pglock.Close(w.conn) }

// Commit sends the whole transaction in one round trip: the statements of a
// pipeline are one transaction, which ends with it.
func (w *writer) Commit(ctx context.Context, tx *projections.Transaction) error {
	var b pgx.Batch
	b.Queue(movePosition, w.epoch, int64(tx.From), int64(tx.To))
	for rest := tx.Changes; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Table == rest[0].Table {
			n++
		}
		w.queue(&b, rest[:n])
		rest = rest[n:]
	}
	if len(tx.Parked) > 0 {
		rows := make([][]projections.Value, len(tx.Parked))
		for i, p := range tx.Parked {
			rows[i] = p.Row()
		}
		b.Queue(insertParked, columnArrays(rows)...)
	}
	count := w.count + len(tx.Parked)
	b.Queue("SELECT pg_notify($1, $2)", w.store.schema, fmt.Sprintf("%d %d", tx.To, count))
	results := w.conn.SendBatch(ctx, &b)
	_, err := results.Exec()
	if code := codeOf(err); code == "22P02" {
		results.Close()
		return fmt.Errorf("%w: %s", errFenced, err)
	}
	for i := 1; i < b.Len() && err == nil; i++ {
		_, err = results.Exec()
	}
	if end := results.Close(); err == nil {
		err = end
	}
	if err != nil {
		return classify(err)
	}
	w.count = count
	return nil
}

// queue adds one statement for each kind of action on one table.
func (w *writer) queue(b *pgx.Batch, changes []projections.Change) {
	table := changes[0].Table
	var rows [projections.Actions][][]projections.Value
	for i := range changes {
		a := changes[i].Action
		rows[a] = append(rows[a], changes[i].Row)
	}
	for a := range projections.Actions {
		if len(rows[a]) == 0 {
			continue
		}
		if w.sql[table][a] == "" {
			w.sql[table][a] = statementFor(w.store.m.Tables[table], a)
		}
		b.Queue(w.sql[table][a], columnArrays(rows[a])...)
	}
}

// columnArrays turns rows into one array for each column.
func columnArrays(rows [][]projections.Value) []any {
	arrays := make([]any, len(rows[0]))
	for c := range arrays {
		switch rows[0][c].Kind() {
		case projections.Int:
			a := make([]int64, len(rows))
			for i := range rows {
				a[i] = rows[i][c].Int()
			}
			arrays[c] = a
		case projections.Text:
			a := make([]string, len(rows))
			for i := range rows {
				a[i] = string(rows[i][c].Raw())
			}
			arrays[c] = a
		case projections.Bytes:
			a := make([][]byte, len(rows))
			for i := range rows {
				if a[i] = rows[i][c].Raw(); a[i] == nil {
					a[i] = []byte{} // nil would be NULL
				}
			}
			arrays[c] = a
		}
	}
	return arrays
}

func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// classify tells data errors from those that another try may cure: the
// classes 22 data exception, 23 integrity constraint, 54 program limit.
func classify(err error) error {
	if code := codeOf(err); len(code) == 5 {
		switch code[:2] {
		case "22", "23", "54":
			return projections.DataError{Err: err}
		}
	}
	return err
}

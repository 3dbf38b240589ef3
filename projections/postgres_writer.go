package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errFenced: another process has become the writer, or moved the position.
var errFenced = errors.New("another process writes this store now")

// postgresMove is the first statement of every commit. It fails unless the
// writer is the last one and knows where the store stands; the row lock makes
// a stale one wait and then see the newer epoch.
const postgresMove = `UPDATE _store SET position = CASE WHEN epoch = $1 AND position = $2 THEN $3
	ELSE ('fenced: epoch ' || epoch || ', position ' || position)::bigint END`

// A postgresWriter holds the connection with the advisory lock.
type postgresWriter struct {
	store *postgresStore
	conn  *pgx.Conn
	from  uint64
	epoch int64
	count int // parked events, told to the followers
	sql   [][actions]string
}

func (w *postgresWriter) position() uint64 { return w.from }

// release ends the session and with it the lock.
func (w *postgresWriter) release() { closeNow(w.conn) }

// commit sends the whole transaction in one round trip: the statements of a
// pipeline are one transaction, which ends with it.
func (w *postgresWriter) commit(ctx context.Context, tx *transaction) error {
	var b pgx.Batch
	b.Queue(postgresMove, w.epoch, int64(tx.from), int64(tx.to))
	for rest := tx.changes; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].table == rest[0].table {
			n++
		}
		w.queue(&b, rest[:n])
		rest = rest[n:]
	}
	if len(tx.parked) > 0 {
		rows := make([][]Value, len(tx.parked))
		for i, p := range tx.parked {
			rows[i] = p.row()
		}
		b.Queue(postgresInsertParked, columnArrays(rows)...)
	}
	count := w.count + len(tx.parked)
	b.Queue("SELECT pg_notify($1, $2)", w.store.schema, fmt.Sprintf("%d %d", tx.to, count))
	results := w.conn.SendBatch(ctx, &b)
	_, err := results.Exec()
	if code := postgresCode(err); code == "22P02" {
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
		return postgresError(err)
	}
	w.count = count
	return nil
}

// queue adds one statement for each kind of action on one table.
func (w *postgresWriter) queue(b *pgx.Batch, changes []change) {
	table := changes[0].table
	var rows [actions][][]Value
	for i := range changes {
		a := changes[i].action
		rows[a] = append(rows[a], changes[i].row)
	}
	for a := range actions {
		if len(rows[a]) == 0 {
			continue
		}
		if w.sql[table][a] == "" {
			w.sql[table][a] = postgresStatement(&w.store.m.tables[table], a)
		}
		b.Queue(w.sql[table][a], columnArrays(rows[a])...)
	}
}

// columnArrays turns rows into one array for each column.
func columnArrays(rows [][]Value) []any {
	arrays := make([]any, len(rows[0]))
	for c := range arrays {
		switch rows[0][c].kind {
		case Int:
			a := make([]int64, len(rows))
			for i := range rows {
				a[i] = rows[i][c].n
			}
			arrays[c] = a
		case Text:
			a := make([]string, len(rows))
			for i := range rows {
				a[i] = string(rows[i][c].b)
			}
			arrays[c] = a
		case Bytes:
			a := make([][]byte, len(rows))
			for i := range rows {
				if a[i] = rows[i][c].b; a[i] == nil {
					a[i] = []byte{} // nil would be NULL
				}
			}
			arrays[c] = a
		}
	}
	return arrays
}

func postgresCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// postgresError tells data errors from those that another try may cure: the
// classes 22 data exception, 23 integrity constraint, 54 program limit.
func postgresError(err error) error {
	if code := postgresCode(err); len(code) == 5 {
		switch code[:2] {
		case "22", "23", "54":
			return dataError{err}
		}
	}
	return err
}

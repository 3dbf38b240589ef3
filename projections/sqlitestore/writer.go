package sqlitestore

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"

	"hubledger/projections"
	"hubledger/projections/internal/sqltext"
)

// A writer holds the one connection that writes, with its statements
// prepared. It works on the driver itself: a commit is part of every push.
type writer struct {
	m        *projections.Model
	conn     driverConn
	from     uint64
	stored   uint64 // the position in the file
	position uint64 // where the store stands; the file may be behind
	begun    bool   // a transaction is open
	args     []driver.NamedValue
	start    driver.Stmt
	move     driver.Stmt
	end      driver.Stmt
	park     driver.Stmt
	rows     [][projections.Actions]driver.Stmt // by table; prepared when first needed
	checkpts *Checkpointer
}

func newWriter(m *projections.Model, path string, o projections.Options) (w *writer, err error) {
	// Checkpoints are left to another connection, so that no commit waits for one.
	conn, err := dial(path, "mode=rwc", pageSize, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)",
		NoCheckpoints, fmt.Sprintf("cache_size(-%d)", writeCache))
	if err != nil {
		return nil, err
	}
	w = &writer{m: m, conn: conn, rows: make([][projections.Actions]driver.Stmt, len(m.Tables))}
	defer func() {
		if err != nil {
			w.conn.Close()
		}
	}()
	if err := w.create(o.Generation); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		stmt *driver.Stmt
		sql  string
	}{
		{&w.start, "BEGIN IMMEDIATE"}, {&w.end, "COMMIT"},
		{&w.move, "UPDATE _store SET position = $1"}, {&w.park, insertParked},
	} {
		if *p.stmt, err = w.conn.Prepare(p.sql); err != nil {
			return nil, err
		}
	}
	w.checkpts = NewCheckpointer(path, cmp.Or(o.Logger, slog.Default()))
	return w, nil
}

// create makes the tables of a store that is new.
func (w *writer) create(generation string) error {
	exists, err := queryInt(w.conn, "SELECT count(*) FROM sqlite_schema WHERE name = '_store'")
	if err != nil || exists > 0 {
		return err
	}
	if err := execAll(w.conn, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := execAll(w.conn, storeTables...); err != nil {
		return err
	}
	for _, t := range w.m.Tables {
		if err := execAll(w.conn, append([]string{createTable(t)}, sqltext.CreateIndexes(t)...)...); err != nil {
			return err
		}
	}
	if err := execAll(w.conn, createSearches(w.m)...); err != nil {
		return err
	}
	if err := writeHeader(w.conn, sqltext.NewHeader(w.m, generation)); err != nil {
		return err
	}
	return execAll(w.conn, "COMMIT")
}

// writeHeader says what a new store is.
func writeHeader(conn driverConn, h sqltext.Header) error {
	_, err := conn.ExecContext(context.Background(), insertHeader, named(
		h.Projection, int64(h.Version), h.Shape, h.Generation, int64(h.Position)))
	return err
}

// begin reads where the store stands, after what a failed commit may have left.
func (w *writer) begin() error {
	w.rollback()
	position, err := queryInt(w.conn, "SELECT position FROM _store")
	w.from = uint64(position)
	w.stored, w.position = w.from, w.from
	return err
}

func (w *writer) Position() uint64 { return w.from }

func (w *writer) Release() {
	w.rollback()
	_ = w.storePosition() // what is not in the file is read again
}

// maxUnstored is how many events without changes the position in the file may be
// behind. A start reads them again.
const maxUnstored = 500

// Commit leaves the file as it is when there is nothing to change in it: of the many
// projections most have nothing to do with an event, and each transaction costs a push
// as much as some rows.
func (w *writer) Commit(_ context.Context, tx *projections.Transaction) error {
	if len(tx.Changes) == 0 && len(tx.Parked) == 0 && tx.To <= w.stored+maxUnstored {
		w.position = tx.To
		return nil
	}
	err := w.write(tx)
	if err != nil {
		w.rollback()
		return classify(err)
	}
	w.stored, w.position = tx.To, tx.To
	w.checkpts.Wrote(pagesOf(tx))
	return nil
}

// storePosition moves the position in the file to where the store stands.
func (w *writer) storePosition() error {
	if w.position <= w.stored {
		return nil
	}
	err := w.write(&projections.Transaction{From: w.stored, To: w.position})
	if err != nil {
		w.rollback()
		return err
	}
	w.stored = w.position
	return nil
}

// pagesOf is about how many pages a transaction writes.
func pagesOf(tx *projections.Transaction) int {
	pages := 2 * len(tx.Changes)
	for i := range tx.Changes {
		for k := range tx.Changes[i].Row {
			pages += len(tx.Changes[i].Row[k].Raw()) >> 12
		}
	}
	return pages
}

func (w *writer) write(tx *projections.Transaction) error {
	if err := w.exec(w.start); err != nil {
		return err
	}
	w.begun = true
	for i := range tx.Changes {
		c := &tx.Changes[i]
		stmt := w.rows[c.Table][c.Action]
		if stmt == nil {
			var err error
			if stmt, err = w.conn.Prepare(statementFor(w.m.Tables[c.Table], c.Action)); err != nil {
				return err
			}
			w.rows[c.Table][c.Action] = stmt
		}
		w.args = appendArgs(w.args[:0], c.Row)
		if err := w.execArgs(stmt); err != nil {
			return err
		}
	}
	for _, p := range tx.Parked {
		w.args = appendArgs(w.args[:0], p.Row())
		if err := w.execArgs(w.park); err != nil {
			return err
		}
	}
	w.args = appendArgs(w.args[:0], []projections.Value{projections.IntValue(int64(tx.To))})
	if err := w.execArgs(w.move); err != nil {
		return err
	}
	if err := w.exec(w.end); err != nil {
		return err
	}
	w.begun = false
	return nil
}

func (w *writer) exec(stmt driver.Stmt) error {
	w.args = w.args[:0]
	return w.execArgs(stmt)
}

// execArgs passes no context that can end: the driver would start a goroutine
// for each statement, and none of them waits.
func (w *writer) execArgs(stmt driver.Stmt) error {
	_, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), w.args)
	return err
}

func (w *writer) rollback() {
	if w.begun {
		w.begun = execAll(w.conn, "ROLLBACK") != nil
	}
}

func (w *writer) close() error {
	err := w.storePosition()
	w.checkpts.Close()
	for _, s := range []driver.Stmt{w.start, w.move, w.end, w.park} {
		s.Close()
	}
	for _, t := range w.rows {
		for _, s := range t {
			if s != nil {
				s.Close()
			}
		}
	}
	return errors.Join(err, w.conn.Close())
}

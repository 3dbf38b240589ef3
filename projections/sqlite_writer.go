package projections

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A sqliteWriter holds the one connection that writes, with its statements
// prepared. It works on the driver itself: a commit is part of every push.
type sqliteWriter struct {
	m        *model
	conn     sqliteConn
	header   header
	begun    bool // a transaction is open
	args     []driver.NamedValue
	start    driver.Stmt
	move     driver.Stmt
	end      driver.Stmt
	park     driver.Stmt
	rows     [][actions]driver.Stmt // by table; prepared when first needed
	dirty    int                    // estimated pages in the write-ahead log
	checkpts *checkpointer
}

// sqliteConn is what this package uses of the driver's connection.
type sqliteConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnPrepareContext
}

func newSQLiteWriter(m *model, path string, o Options) (w *sqliteWriter, err error) {
	// Checkpoints are left to another connection, so that no commit waits for one.
	conn, err := sqliteDSN(path, "mode=rwc", sqlitePageSize, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)",
		"wal_autocheckpoint(0)", fmt.Sprintf("cache_size(-%d)", sqliteWriteCache)).Connect(context.Background())
	if err != nil {
		return nil, err
	}
	w = &sqliteWriter{m: m, conn: conn.(sqliteConn), rows: make([][actions]driver.Stmt, len(m.tables))}
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
		{&w.move, "UPDATE _store SET position = $1"}, {&w.park, sqliteInsertParked},
	} {
		if *p.stmt, err = w.conn.Prepare(p.sql); err != nil {
			return nil, err
		}
	}
	w.checkpts = newCheckpointer(path, o.logger())
	return w, nil
}

// create makes the tables of a store that is new.
func (w *sqliteWriter) create(generation string) error {
	exists, err := queryInt(w.conn, "SELECT count(*) FROM sqlite_schema WHERE name = '_store'")
	if err != nil || exists > 0 {
		return err
	}
	if err := execAll(w.conn, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := execAll(w.conn, sqliteStoreTables...); err != nil {
		return err
	}
	for i := range w.m.tables {
		t := &w.m.tables[i]
		if err := execAll(w.conn, append([]string{sqliteCreate(t)}, createIndexes(t)...)...); err != nil {
			return err
		}
	}
	if err := execAll(w.conn, sqliteSearches(w.m)...); err != nil {
		return err
	}
	if err := sqliteHeader(w.conn, w.m.header(generation)); err != nil {
		return err
	}
	return execAll(w.conn, "COMMIT")
}

// sqliteHeader says what a new store is.
func sqliteHeader(conn sqliteConn, h header) error {
	_, err := conn.ExecContext(context.Background(), sqliteInsertHeader, named(
		h.projection, int64(h.version), h.shape, h.generation, int64(h.position)))
	return err
}

// begin reads where the store stands, after what a failed commit may have left.
func (w *sqliteWriter) begin() error {
	w.rollback()
	position, err := queryInt(w.conn, "SELECT position FROM _store")
	w.header.position = uint64(position)
	return err
}

func (w *sqliteWriter) position() uint64 { return w.header.position }
func (w *sqliteWriter) release()         { w.rollback() }

func (w *sqliteWriter) commit(_ context.Context, tx *transaction) error {
	err := w.write(tx)
	if err != nil {
		w.rollback()
		return sqliteError(err)
	}
	if w.dirty += 2 * len(tx.changes); w.dirty >= checkpointPages {
		w.dirty = 0
		w.checkpts.wake()
	}
	return nil
}

func (w *sqliteWriter) write(tx *transaction) error {
	if err := w.exec(w.start); err != nil {
		return err
	}
	w.begun = true
	for i := range tx.changes {
		c := &tx.changes[i]
		stmt := w.rows[c.table][c.action]
		if stmt == nil {
			var err error
			if stmt, err = w.conn.Prepare(sqliteStatement(&w.m.tables[c.table], c.action)); err != nil {
				return err
			}
			w.rows[c.table][c.action] = stmt
		}
		w.args = appendArgs(w.args[:0], c.row)
		if err := w.execArgs(stmt); err != nil {
			return err
		}
		for i := range c.row {
			w.dirty += len(c.row[i].b) >> 12
		}
	}
	for _, p := range tx.parked {
		w.args = appendArgs(w.args[:0], p.row())
		if err := w.execArgs(w.park); err != nil {
			return err
		}
	}
	w.args = appendArgs(w.args[:0], []Value{IntValue(int64(tx.to))})
	if err := w.execArgs(w.move); err != nil {
		return err
	}
	if err := w.exec(w.end); err != nil {
		return err
	}
	w.begun = false
	return nil
}

// row is the record as a row of the table _parked.
func (p Parked) row() []Value {
	return []Value{IntValue(int64(p.Seq)), BytesValue([]byte(p.Subject)), TextValue(p.Type), TextValue(p.Reason)}
}

func (w *sqliteWriter) exec(stmt driver.Stmt) error {
	w.args = w.args[:0]
	return w.execArgs(stmt)
}

// execArgs passes no context that can end: the driver would start a goroutine
// for each statement, and none of them waits.
func (w *sqliteWriter) execArgs(stmt driver.Stmt) error {
	_, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), w.args)
	return err
}

func (w *sqliteWriter) rollback() {
	if w.begun {
		w.begun = execAll(w.conn, "ROLLBACK") != nil
	}
}

func (w *sqliteWriter) close() error {
	w.checkpts.close()
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
	return w.conn.Close()
}

// sqliteError tells data errors from those that another try may cure.
func sqliteError(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
			return dataError{err}
		}
	}
	return err
}

func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED)
}

package sqlitestore

import (
	"fmt"
	"strings"

	"hubledger/projections"
	"hubledger/projections/internal/sqltext"
)

var columnTypes = [...]string{projections.Int: "INTEGER", projections.Bytes: "BLOB", projections.Text: "TEXT"}

// storeTables are the runner's own, in every store.
var storeTables = []string{
	`CREATE TABLE _store (id INTEGER PRIMARY KEY, projection TEXT NOT NULL, version INTEGER NOT NULL,
		shape TEXT NOT NULL, generation TEXT NOT NULL, position INTEGER NOT NULL) STRICT`,
	`CREATE TABLE _parked (seq INTEGER PRIMARY KEY, subject BLOB NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL) STRICT`,
}

const (
	insertHeader = `INSERT INTO _store VALUES (0, $1, $2, $3, $4, $5)`
	insertParked = `INSERT INTO _parked VALUES ($1, $2, $3, $4)`
)

// createTable makes a table. Rows live in the key's b-tree; a single integer
// key is SQLite's own row id, whose b-tree takes long rows better.
func createTable(t *projections.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (", sqltext.Quote(t.Name))
	for _, c := range t.Columns {
		fmt.Fprintf(&b, "%s %s NOT NULL, ", sqltext.Quote(c.Name), columnTypes[c.Kind])
	}
	fmt.Fprintf(&b, "PRIMARY KEY (%s)) ", sqltext.Columns(t.Columns[:t.Key]))
	if hasRowID(t) {
		b.WriteString("STRICT")
	} else {
		b.WriteString("STRICT, WITHOUT ROWID")
	}
	return b.String()
}

func hasRowID(t *projections.Table) bool {
	return t.Key == 1 && t.Columns[0].Kind == projections.Int
}

// statementFor is what an action on a row of t is in SQL.
func statementFor(t *projections.Table, a projections.Action) string {
	if a == projections.RemoveRow {
		var where []string
		for i, c := range t.Columns[:t.Key] {
			where = append(where, fmt.Sprintf("%s = $%d", sqltext.Quote(c.Name), i+1))
		}
		return fmt.Sprintf("DELETE FROM %s WHERE %s", sqltext.Quote(t.Name), strings.Join(where, " AND "))
	}
	return insertRow(t) + " " + sqltext.OnConflict(t, a, "max")
}

func insertRow(t *projections.Table) string {
	marks := make([]string, len(t.Columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", sqltext.Quote(t.Name), sqltext.Columns(t.Columns), strings.Join(marks, ", "))
}

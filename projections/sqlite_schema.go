package projections

import (
	"fmt"
	"strings"
)

var sqliteKinds = [...]string{Int: "INTEGER", Bytes: "BLOB", Text: "TEXT"}

// sqliteStoreTables are the runner's own, in every store.
var sqliteStoreTables = []string{
	`CREATE TABLE _store (id INTEGER PRIMARY KEY, projection TEXT NOT NULL, version INTEGER NOT NULL,
		shape TEXT NOT NULL, generation TEXT NOT NULL, position INTEGER NOT NULL) STRICT`,
	`CREATE TABLE _parked (seq INTEGER PRIMARY KEY, subject BLOB NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL) STRICT`,
}

const (
	sqliteInsertHeader = `INSERT INTO _store VALUES (0, $1, $2, $3, $4, $5)`
	sqliteInsertParked = `INSERT INTO _parked VALUES ($1, $2, $3, $4)`
)

// sqliteCreate makes a table. Rows live in the key's b-tree; a single integer
// key is SQLite's own row id, whose b-tree takes long rows better.
func sqliteCreate(t *tableInfo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (", quote(t.Name))
	for _, c := range t.Columns {
		fmt.Fprintf(&b, "%s %s NOT NULL, ", quote(c.Name), sqliteKinds[c.Kind])
	}
	fmt.Fprintf(&b, "PRIMARY KEY (%s)) ", columnList(t.Columns[:t.Key]))
	if t.rowID() {
		b.WriteString("STRICT")
	} else {
		b.WriteString("STRICT, WITHOUT ROWID")
	}
	return b.String()
}

func (t *tableInfo) rowID() bool { return t.Key == 1 && t.Columns[0].Kind == Int }

// createIndexes is the same for both stores.
func createIndexes(t *tableInfo) []string {
	var list []string
	for i, index := range t.Indexes {
		var names []string
		for _, name := range index {
			names = append(names, quote(name))
		}
		list = append(list, fmt.Sprintf("CREATE INDEX %s ON %s (%s)",
			quote(fmt.Sprintf("%s_%d", t.Name, i+1)), quote(t.Name), strings.Join(names, ", ")))
	}
	return list
}

// sqliteStatement is what an action on a row of t is in SQL.
func sqliteStatement(t *tableInfo, a action) string {
	if a == remove {
		var where []string
		for i, c := range t.Columns[:t.Key] {
			where = append(where, fmt.Sprintf("%s = $%d", quote(c.Name), i+1))
		}
		return fmt.Sprintf("DELETE FROM %s WHERE %s", quote(t.Name), strings.Join(where, " AND "))
	}
	return sqliteInsert(t) + " " + onConflict(t, a, "max")
}

func sqliteInsert(t *tableInfo) string {
	marks := make([]string, len(t.Columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", quote(t.Name), columnList(t.Columns), strings.Join(marks, ", "))
}

// onConflict is the clause that merges or replaces a row; larger is the
// store's function for the larger of two numbers.
func onConflict(t *tableInfo, a action, larger string) string {
	if t.Key == len(t.Columns) || a == merge && t.Merge == Insert {
		return "ON CONFLICT DO NOTHING"
	}
	var set []string
	for _, c := range t.Columns[t.Key:] {
		name := quote(c.Name)
		old, new := quote(t.Name)+"."+name, "excluded."+name
		switch {
		case a == replace || t.Merge == Put:
			set = append(set, name+" = "+new)
		case t.Merge == Add:
			set = append(set, name+" = "+old+" + "+new)
		case t.Merge == Max:
			set = append(set, fmt.Sprintf("%s = %s(%s, %s)", name, larger, old, new))
		}
	}
	clause := fmt.Sprintf("ON CONFLICT (%s) DO UPDATE SET %s", columnList(t.Columns[:t.Key]), strings.Join(set, ", "))
	if a == merge && t.Merge == Put {
		clause += fmt.Sprintf(` WHERE excluded."seq" >= %s."seq"`, quote(t.Name))
	}
	return clause
}

func columnList(columns []Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quote(c.Name)
	}
	return strings.Join(names, ", ")
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

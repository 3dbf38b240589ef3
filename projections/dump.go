package projections

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Dump writes the position, what is parked and every row of every table,
// ordered by key, as text: two stores of one projection that have seen the
// same events give the same bytes. Long cells are given by length and hash.
func Dump(ctx context.Context, s Store, w io.Writer) error {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "position %d generation %q\n", snap.Position, s.Generation())
	tables := []*Table{{Name: "_parked", Key: 1, Columns: []Column{
		{"seq", Int}, {"subject", Bytes}, {"type", Text}, {"reason", Text}}}}
	tables = append(tables, s.Model().Tables...)
	for _, search := range s.Model().Searches {
		tables = append(tables, search.Table)
	}
	for _, t := range tables {
		if err := dumpTable(ctx, snap.DB, t, out); err != nil {
			return err
		}
	}
	return out.Flush()
}

func dumpTable(ctx context.Context, db *sql.DB, t *Table, out io.Writer) error {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s",
		quotedNames(t.Columns), strconv.Quote(t.Name), quotedNames(t.Columns[:t.Key])))
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]Value, len(t.Columns))
	cells := make([]any, len(row))
	for i, c := range t.Columns {
		row[i].kind = c.Kind
		cells[i] = &row[i].b
		if c.Kind == Int {
			cells[i] = &row[i].n
		}
	}
	text := make([]string, len(row))
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		for i := range row {
			text[i] = brief(row[i])
		}
		fmt.Fprintf(out, "%s %s\n", t.Name, strings.Join(text, " "))
	}
	return rows.Err()
}

func quotedNames(columns []Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = strconv.Quote(c.Name)
	}
	return strings.Join(names, ", ")
}

// brief is a cell in a dump; a long one is its length and hash.
func brief(v Value) string {
	const long = 200
	if len(v.b) <= long {
		return v.String()
	}
	return fmt.Sprintf("%d bytes, sha256 %x", len(v.b), sha256.Sum256(v.b))
}

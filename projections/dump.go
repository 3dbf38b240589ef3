package projections

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
)

// Dump writes the position, what is parked and every row of every table,
// ordered by key, as text: two stores of one projection that have seen the
// same events give the same bytes. Long cells are given by length and hash.
func Dump(ctx context.Context, s Store, w io.Writer) error {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.close()
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "position %d generation %q\n", snap.position, s.Generation())
	parked := &tableInfo{Table: &Table{Name: "_parked", Key: 1, Columns: []Column{
		{"seq", Int}, {"subject", Bytes}, {"type", Text}, {"reason", Text}}}}
	if err := dumpTable(ctx, snap, parked, out); err != nil {
		return err
	}
	for i := range s.model().tables {
		if err := dumpTable(ctx, snap, &s.model().tables[i], out); err != nil {
			return err
		}
	}
	for i := range s.model().searches {
		if err := dumpTable(ctx, snap, &s.model().searches[i], out); err != nil {
			return err
		}
	}
	return out.Flush()
}

func dumpTable(ctx context.Context, s *snapshot, t *tableInfo, out io.Writer) error {
	rows, err := s.db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s",
		columnList(t.Columns), quote(t.Name), columnList(t.Columns[:t.Key])))
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

// brief is a cell in a dump; a long one is its length and hash.
func brief(v Value) string {
	const long = 200
	if len(v.b) <= long {
		return v.String()
	}
	return fmt.Sprintf("%d bytes, sha256 %x", len(v.b), sha256.Sum256(v.b))
}

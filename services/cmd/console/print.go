package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"hubledger/services/internal/plaintext"
)

// Print prints v as JSON on one line.
func (s *Session) Print(v any) error {
	e := json.NewEncoder(s.Out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// PrintRaw prints JSON from the hub on one line.
func (s *Session) PrintRaw(raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	b.WriteByte('\n')
	_, err := s.Out.Write(b.Bytes())
	return err
}

// Table prints rows under a header, in columns.
func (s *Session) Table(header []string, rows [][]string) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(header, "\t"))
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(lines(r), "\t"))
	}
	return w.Flush()
}

// lines makes the cells of a row fit for a table: a line end or a tab in one would
// look like another row or column.
func lines(row []string) []string {
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = plaintext.Line(cell)
	}
	return cells
}

// Facts prints pairs of name and value; it leaves out those with an empty value.
func (s *Session) Facts(pairs [][]string) error {
	var b strings.Builder
	for _, p := range pairs {
		if p[1] != "" {
			fmt.Fprintf(&b, "%-13s %s\n", p[0], plaintext.Line(p[1]))
		}
	}
	_, err := fmt.Fprint(s.Out, b.String())
	return err
}

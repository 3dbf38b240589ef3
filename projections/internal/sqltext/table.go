package sqltext

import (
	"fmt"
	"strings"

	"hubledger/projections"
)

// Quote writes a name so that SQL takes it as it is.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Columns are the quoted names of columns, between commas.
func Columns(columns []projections.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = Quote(c.Name)
	}
	return strings.Join(names, ", ")
}

// CreateIndexes are the statements that make a table's indexes.
func CreateIndexes(t *projections.Table) []string {
	var list []string
	for i, index := range t.Indexes {
		var names []string
		for _, name := range index {
			names = append(names, Quote(name))
		}
		list = append(list, fmt.Sprintf("CREATE INDEX %s ON %s (%s)",
			Quote(fmt.Sprintf("%s_%d", t.Name, i+1)), Quote(t.Name), strings.Join(names, ", ")))
	}
	return list
}

// OnConflict is the clause of an INSERT that merges or replaces a row; larger
// is the store's function for the larger of two numbers.
func OnConflict(t *projections.Table, a projections.Action, larger string) string {
	merge := a == projections.MergeRow
	if t.Key == len(t.Columns) || merge && t.Merge == projections.Insert {
		return "ON CONFLICT DO NOTHING"
	}
	var set []string
	for _, c := range t.Columns[t.Key:] {
		name := Quote(c.Name)
		old, new := Quote(t.Name)+"."+name, "excluded."+name
		switch {
		case !merge || t.Merge == projections.Put:
			set = append(set, name+" = "+new)
		case t.Merge == projections.Add:
			set = append(set, name+" = "+old+" + "+new)
		case t.Merge == projections.Max:
			set = append(set, fmt.Sprintf("%s = %s(%s, %s)", name, larger, old, new))
		}
	}
	clause := fmt.Sprintf("ON CONFLICT (%s) DO UPDATE SET %s", Columns(t.Columns[:t.Key]), strings.Join(set, ", "))
	if merge && t.Merge == projections.Put {
		clause += fmt.Sprintf(` WHERE excluded."seq" >= %s."seq"`, Quote(t.Name))
	}
	return clause
}

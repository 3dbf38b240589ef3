package sqltext

import (
	"fmt"
	"strings"

	"hubledger/projections"
)

// TriggerEvents are the kinds of change of a source after which the rows of a
// search are worked out anew.
var TriggerEvents = []string{"INSERT", "UPDATE", "DELETE"}

// ChangedRow is what a trigger calls the row that an event was about.
func ChangedRow(event string) string {
	if event == "DELETE" {
		return "OLD"
	}
	return "NEW"
}

// TriggerName is the name of the trigger of a source for one kind of change.
func TriggerName(s *projections.Search, source *projections.Table, event string) string {
	return Quote(s.Table.Name + "_" + source.Name + "_" + strings.ToLower(event))
}

// FillSearch is the statement that puts all rows into a search's empty table.
func FillSearch(s *projections.Search) string {
	return fmt.Sprintf("INSERT INTO %s (%s) %s", Quote(s.Table.Name), Columns(s.Table.Columns), s.Select)
}

// RefreshSearch are the statements that work out anew the rows of a search that
// depend on one row of a source; row is what a trigger calls that, NEW or OLD.
func RefreshSearch(s *projections.Search, row string) []string {
	selected := fmt.Sprintf("%s AND %s = %s.%s", s.Select, s.ByIn, row, Quote(s.By))
	key := s.Table.Columns[0].Name
	var set, old, new []string
	for _, c := range s.Table.Columns[1:] {
		name := Quote(c.Name)
		set = append(set, name+" = excluded."+name)
		old = append(old, Quote(s.Table.Name)+"."+name)
		new = append(new, "excluded."+name)
	}
	return []string{
		fmt.Sprintf("DELETE FROM %s WHERE %s = %s.%s AND NOT EXISTS (%s)", Quote(s.Table.Name), Quote(s.By), row, Quote(s.By), selected),
		fmt.Sprintf("INSERT INTO %s (%s) %s ON CONFLICT (%s) DO UPDATE SET %s WHERE (%s) <> (%s)",
			Quote(s.Table.Name), Columns(s.Table.Columns), selected, Quote(key),
			strings.Join(set, ", "), strings.Join(old, ", "), strings.Join(new, ", ")),
	}
}

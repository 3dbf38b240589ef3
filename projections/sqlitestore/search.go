package sqlitestore

import (
	"fmt"
	"strings"

	"hubledger/projections"
	"hubledger/projections/internal/sqltext"
)

// createSearch makes a search's table from what the sources hold, its FTS5
// tables and the triggers that keep them. The FTS5 tables have no content of
// their own: what they find is a row id.
func createSearch(s *projections.Search) []string {
	t := s.Table
	name, key := sqltext.Quote(t.Name), sqltext.Quote(t.Columns[0].Name)
	list := []string{createTable(t), sqltext.FillSearch(s)}
	list = append(list, sqltext.CreateIndexes(t)...)
	for _, f := range []struct{ column, options string }{
		{s.Trigrams, `tokenize = 'trigram'`},
		{s.Words, `detail = none, tokenize = "unicode61 remove_diacritics 0 tokenchars ':/-'"`},
	} {
		index, column := sqltext.Quote(t.Name+"_"+f.column), sqltext.Quote(f.column)
		insert := fmt.Sprintf("INSERT INTO %s (rowid, %s)", index, column)
		remove := fmt.Sprintf("DELETE FROM %s WHERE rowid = OLD.%s", index, key)
		add := fmt.Sprintf("%s VALUES (NEW.%s, NEW.%s)", insert, key, column)
		on := func(event, when, do string) string {
			verb, _, _ := strings.Cut(strings.ToLower(event), " ")
			return fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s %s BEGIN %s; END",
				sqltext.Quote(t.Name+"_"+f.column+"_"+verb), event, name, when, do)
		}
		list = append(list,
			fmt.Sprintf("CREATE VIRTUAL TABLE %s USING fts5(%s, content = '', contentless_delete = 1, %s)", index, column, f.options),
			fmt.Sprintf("%s SELECT %s, %s FROM %s ORDER BY %s", insert, key, column, name, key),
			fmt.Sprintf("INSERT INTO %s (%s) VALUES ('optimize')", index, index),
			on("INSERT", "", add),
			on("DELETE", "", remove),
			on("UPDATE OF "+column, fmt.Sprintf("WHEN OLD.%s <> NEW.%s", column, column), remove+"; "+add))
	}
	for _, source := range s.Sources {
		for _, event := range sqltext.TriggerEvents {
			list = append(list, fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s BEGIN %s; END",
				sqltext.TriggerName(s, source, event), event, sqltext.Quote(source.Name), strings.Join(sqltext.RefreshSearch(s, sqltext.ChangedRow(event)), "; ")))
		}
	}
	return list
}

// createSearches makes all searches of a projection, when the tables are there.
func createSearches(m *projections.Model) []string {
	var list []string
	for _, s := range m.Searches {
		list = append(list, createSearch(s)...)
	}
	return list
}

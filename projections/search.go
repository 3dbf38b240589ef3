package projections

import (
	"fmt"
	"slices"
	"strings"
)

// A Search is a table that the store keeps by itself: what a SELECT over the
// tables of the projection yields, with indexes over its texts. Apply never
// writes it. Triggers work its rows out anew whenever a row of a source
// changes, and a bulk load fills it at its end, so that it always is what the
// SELECT says, however the rows came in.
//
// SQLite searches in the FTS5 tables <name>_<Trigrams> and <name>_<Words>, whose
// row ids are the key; PostgreSQL has GIN indexes, by pg_trgm on the column
// Trigrams and on WordsVector of the column Words.
type Search struct {
	// Table has one Int column as its key, and a column By.
	Table *Table
	// Select yields the columns of Table in their order, in SQL that runs on
	// both stores. It ends in a WHERE clause.
	Select string
	// Sources have By as their first key column: a change of a row concerns the
	// rows of Table with the same value in it.
	Sources []*Table
	By      string // such as "repo"
	ByIn    string // By as Select calls it, such as "r.repo"
	// Trigrams is the Text column in which parts of three characters or more are looked for.
	Trigrams string
	// Words is the Text column whose words are looked for: parted by single
	// spaces, and of lower-case letters, digits, ":", "/" and "-" only.
	Words string
}

// WordsVector is the tsvector that PostgreSQL has indexed for a column of words.
func WordsVector(column string) string {
	return "array_to_tsvector(string_to_array(btrim(" + column + "), ' '))"
}

func inspectSearch(p *Projection, s *Search) (tableInfo, error) {
	info, err := inspect(s.Table)
	if err != nil {
		return info, err
	}
	text := func(name string) bool { return slices.Contains(s.Table.Columns, Column{name, Text}) }
	if !info.rowID() || !text(s.Trigrams) || !text(s.Words) {
		return info, fmt.Errorf("a search needs one Int key and Text columns for trigrams and words")
	}
	if !slices.ContainsFunc(s.Table.Columns, func(c Column) bool { return c.Name == s.By }) {
		return info, fmt.Errorf("a search needs the column %q", s.By)
	}
	for _, source := range s.Sources {
		if !slices.Contains(p.Tables, source) || source.Columns[0].Name != s.By {
			return info, fmt.Errorf("source %s is no table of the projection whose key begins with %q", source.Name, s.By)
		}
	}
	return info, nil
}

// fill is the statement that puts all rows into an empty table.
func (s *Search) fill() string {
	return fmt.Sprintf("INSERT INTO %s (%s) %s", quote(s.Table.Name), columnList(s.Table.Columns), s.Select)
}

// refresh are the statements that work the rows of one source row out anew;
// row is what a trigger calls that, NEW or OLD.
func (s *Search) refresh(row string) []string {
	selected := fmt.Sprintf("%s AND %s = %s.%s", s.Select, s.ByIn, row, quote(s.By))
	key := s.Table.Columns[0].Name
	var set, old, new []string
	for _, c := range s.Table.Columns[1:] {
		name := quote(c.Name)
		set = append(set, name+" = excluded."+name)
		old = append(old, quote(s.Table.Name)+"."+name)
		new = append(new, "excluded."+name)
	}
	return []string{
		fmt.Sprintf("DELETE FROM %s WHERE %s = %s.%s AND NOT EXISTS (%s)", quote(s.Table.Name), quote(s.By), row, quote(s.By), selected),
		fmt.Sprintf("INSERT INTO %s (%s) %s ON CONFLICT (%s) DO UPDATE SET %s WHERE (%s) <> (%s)",
			quote(s.Table.Name), columnList(s.Table.Columns), selected, quote(key),
			strings.Join(set, ", "), strings.Join(old, ", "), strings.Join(new, ", ")),
	}
}

// trigger names the trigger of a source for one kind of change.
func (s *Search) trigger(source *Table, event string) string {
	return quote(s.Table.Name + "_" + source.Name + "_" + strings.ToLower(event))
}

// changed is what a trigger calls the row that an event was about.
func changed(event string) string {
	if event == "DELETE" {
		return "OLD"
	}
	return "NEW"
}

var triggerEvents = []string{"INSERT", "UPDATE", "DELETE"}

package projections

import (
	"fmt"
	"slices"
)

// A Search is a table that the store derives from others by a SELECT, with
// indexes over its texts. Apply never writes it: triggers compute its rows anew
// whenever a row of a source changes, and a bulk load fills it at its end, so
// that it always has exactly what the SELECT yields.
//
// In SQLite it is searched by the FTS5 tables <name>_<Trigrams> and
// <name>_<Words>, whose row ids are the key; in PostgreSQL by GIN indexes: of
// pg_trgm on the column Trigrams, and on WordsVector of the column Words.
type Search struct {
	// Table has one Int column as its key, and a column By.
	Table *Table
	// Select yields the columns of Table in their order, in SQL that runs on
	// both kinds of store. It ends in a WHERE clause, which is extended.
	Select string
	// Sources are the tables that Select reads. Their first column is By: a
	// change of a row concerns the rows of Table with the same value in By.
	Sources []*Table
	By      string // such as "repo"
	ByIn    string // By as Select calls it, such as "r.repo"
	// Trigrams is the Text column that is searched for parts of three characters
	// or more.
	Trigrams string
	// Words is the Text column that is searched for whole words: its words are
	// separated by single spaces, and have only lower-case letters, digits, ":",
	// "/" and "-".
	Words string
}

// WordsVector is the expression that PostgreSQL indexes for a column of words.
func WordsVector(column string) string {
	return "array_to_tsvector(string_to_array(btrim(" + column + "), ' '))"
}

// check says what is wrong with a search of p.
func (s *Search) check(p *Projection) error {
	info, err := inspect(s.Table)
	if err != nil {
		return err
	}
	text := func(name string) bool { return slices.Contains(s.Table.Columns, Column{name, Text}) }
	if info.Key != 1 || info.Columns[0].Kind != Int || !text(s.Trigrams) || !text(s.Words) {
		return fmt.Errorf("a search needs one Int key and Text columns for trigrams and words")
	}
	if !slices.ContainsFunc(s.Table.Columns, func(c Column) bool { return c.Name == s.By }) {
		return fmt.Errorf("a search needs the column %q", s.By)
	}
	for _, source := range s.Sources {
		if !slices.Contains(p.Tables, source) || source.Columns[0].Name != s.By {
			return fmt.Errorf("source %s is no table of the projection whose key begins with %q", source.Name, s.By)
		}
	}
	return nil
}

package catalog

import (
	"encoding/json"
	"fmt"
	"strings"

	"hubledger/projections"
)

// A stmt builds a statement. Texts of users go in only as arguments.
type stmt struct {
	dialect projections.Dialect
	strings.Builder
	args []any
}

func (s *stmt) add(format string, a ...any) { fmt.Fprintf(s, format, a...) }

// arg adds an argument and returns its placeholder.
func (s *stmt) arg(v any) string {
	s.args = append(s.args, v)
	return fmt.Sprintf("$%d", len(s.args))
}

// contains is true when a text column contains the text, in which no character is
// special. It uses no index, so it can be checked while walking along an order.
func (s *stmt) contains(column, text string) string {
	name := "instr"
	if s.dialect == projections.Postgres {
		name = "strpos"
	}
	return fmt.Sprintf("%s(%s, %s) > 0", name, column, s.arg(text))
}

// begins is true when a text column begins with the text. It uses no index.
func (s *stmt) begins(column, text string) string {
	return fmt.Sprintf("substr(%s, 1, %s) = %s", column, s.arg(len([]rune(text))), s.arg(text))
}

// A set is values as one argument of statements: a list in JSON.
type set struct {
	list string
	n    int // how many there are
}

func setOf[T int64 | string](values []T) set {
	list, err := json.Marshal(values)
	if err != nil {
		panic(err) // texts and numbers only
	}
	return set{string(list), len(values)}
}

// values selects what of makes of each value of a set.
func (s *stmt) values(list set, of string) string {
	if s.dialect == projections.Postgres {
		return fmt.Sprintf("SELECT %s FROM json_array_elements_text(%s::json) AS j (value)", of, s.arg(list.list))
	}
	return fmt.Sprintf("SELECT %s FROM json_each(%s) AS j", of, s.arg(list.list))
}

// in is true when a column has one of some values. An index of the column is used.
func (s *stmt) in(column, values string) string {
	if s.dialect == projections.Postgres {
		return fmt.Sprintf("%s = ANY (ARRAY(%s))", column, values)
	}
	return fmt.Sprintf("%s IN (%s)", column, values)
}

func (s *stmt) inTexts(column string, values []string) string {
	of := "j.value"
	if s.dialect == projections.Postgres {
		of += ` COLLATE "C"`
	}
	return s.in(column, s.values(setOf(values), of))
}

func (s *stmt) inInts(column string, values []int64) string {
	return s.in(column, s.ints(setOf(values)))
}

// ints are the values of a set of numbers.
func (s *stmt) ints(list set) string {
	of := "j.value"
	if s.dialect == projections.Postgres {
		of += "::bigint"
	}
	return s.values(list, of)
}

// ids are the values of a set of ids in hexadecimal digits.
func (s *stmt) ids(list set) string {
	if s.dialect == projections.Postgres {
		return s.values(list, "decode(j.value, 'hex')")
	}
	return s.values(list, "unhex(j.value)")
}

// A needle is what an index is searched for: parts of names, or words.
type needle struct {
	names []string // texts of three characters or more, in the name
	any   bool     // one of the names is enough
	words []string // whole words
}

// found is FROM and WHERE of the entries e that an index finds for a needle.
func (s *stmt) found(table string, n needle) string {
	if s.dialect == projections.Postgres {
		return s.foundPostgres(table, n)
	}
	index, match := s.fts(table, n)
	return fmt.Sprintf("FROM %[1]s f CROSS JOIN %[2]s e ON e.id = f.rowid WHERE f.%[1]s MATCH %[3]s", index, table, match)
}

// matches is FROM and WHERE of as many rows as found has, to be counted.
func (s *stmt) matches(table string, n needle) string {
	if s.dialect == projections.Postgres {
		return s.foundPostgres(table, n)
	}
	index, match := s.fts(table, n)
	return fmt.Sprintf("FROM %[1]s WHERE %[1]s MATCH %[2]s", index, match)
}

// fts is the FTS5 table for a needle, and the query for it as an argument.
func (s *stmt) fts(table string, n needle) (index, match string) {
	column, operator, quoted := "name", " AND ", n.names
	if n.any {
		operator = " OR "
	}
	if len(n.names) == 0 {
		column, quoted = "words", n.words
	}
	list := make([]string, len(quoted))
	for k, text := range quoted {
		list[k] = quote(text)
	}
	return table + "_" + column, s.arg(strings.Join(list, operator))
}

// quote makes a text a string of FTS5, whatever is in it.
func quote(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

func (s *stmt) foundPostgres(table string, n needle) string {
	if len(n.names) > 0 {
		likes := make([]string, len(n.names))
		for k, name := range n.names {
			likes[k] = "e.name LIKE " + s.arg("%"+likeEscape.Replace(name)+"%")
		}
		operator := " AND "
		if n.any {
			operator = " OR "
		}
		return fmt.Sprintf("FROM %s e WHERE (%s)", table, strings.Join(likes, operator))
	}
	var lexemes []string
	for _, w := range n.words {
		lexemes = append(lexemes, lexeme(w))
	}
	return fmt.Sprintf("FROM %s e WHERE %s @@ %s::tsquery", table, projections.WordsVector("e.words"), s.arg(strings.Join(lexemes, " & ")))
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// lexeme quotes a word for a tsquery.
func lexeme(word string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(word) + "'"
}

// where adds conditions to a source, which has a WHERE clause already.
func where(source string, conditions ...string) string {
	for _, c := range conditions {
		if c != "" {
			source += " AND " + c
		}
	}
	return strings.TrimSpace(source)
}

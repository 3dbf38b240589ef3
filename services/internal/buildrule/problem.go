package buildrule

import (
	"fmt"
	"strings"
)

// A Problem says what is wrong with a rule. Its texts are for people.
type Problem struct {
	Rule    string `json:"rule,omitempty" doc:"Name of the rule, or #3 for the third one when it has no usable name; absent for the whole set"`
	Index   int    `json:"index" doc:"Of the rule, from 0; -1 for the whole set"`
	Field   string `json:"field,omitempty" doc:"Of the rule"`
	What    string `json:"what" doc:"What is wrong"`
	Why     string `json:"why,omitempty" doc:"Why it is"`
	Fix     string `json:"fix,omitempty" doc:"What to write instead"`
	Warning bool   `json:"warning,omitempty" doc:"It does not keep the rules from being saved"`
	// Offset and Column are set for patterns and templates.
	Offset int `json:"offset,omitempty" doc:"Place inside the field's text, in bytes from 0"`
	Column int `json:"column,omitempty" doc:"The same in characters from 1; absent when there is no place"`
	// Line and LineColumn are set for a file of rules.
	Line       int `json:"line,omitempty" doc:"Line in the file, from 1"`
	LineColumn int `json:"lineColumn,omitempty" doc:"Column in that line, from 1"`
}

// Error is the problem in one line.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", p.Line, p.LineColumn)
	}
	if p.Rule != "" {
		fmt.Fprintf(&b, "rule %s: ", p.Rule)
	}
	if p.Field != "" {
		fmt.Fprintf(&b, "%s: ", p.Field)
	}
	b.WriteString(p.What)
	if p.Column > 0 {
		fmt.Fprintf(&b, " at column %d (byte %d)", p.Column, p.Offset)
	}
	if p.Why != "" {
		b.WriteString(": " + p.Why)
	}
	if p.Fix != "" {
		b.WriteString("; " + p.Fix)
	}
	return b.String()
}

// Location is where the problem is in a document that has the rules at path, such as
// body.rules[2].tags.
func (p Problem) Location(path string) string {
	if p.Index >= 0 {
		path = fmt.Sprintf("%s[%d]", path, p.Index)
	}
	if p.Field != "" {
		path += "." + p.Field
	}
	return path
}

// Problems are what Validate found, in the order of the rules.
type Problems []Problem

// Errors are those that are no warnings.
func (ps Problems) Errors() Problems { return ps.filter(false) }

// Warnings are those that do not keep the rules from being saved.
func (ps Problems) Warnings() Problems { return ps.filter(true) }

func (ps Problems) filter(warning bool) Problems {
	var out Problems
	for _, p := range ps {
		if p.Warning == warning {
			out = append(out, p)
		}
	}
	return out
}

// Error has a line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

package buildrule

import (
	"fmt"
	"strings"
)

// A Problem says what is wrong with a rule. Its texts are for people.
type Problem struct {
	Rule    string `json:"rule,omitempty"`  // name, or #3 for the third rule when it has no usable one
	Index   int    `json:"index"`           // of the rule, from 0; -1 for the whole set
	Field   string `json:"field,omitempty"` // its JSON name
	What    string `json:"what"`
	Why     string `json:"why,omitempty"`
	Fix     string `json:"fix,omitempty"` // what to write instead
	Warning bool   `json:"warning,omitempty"`
	// Offset and Column are the place inside the field's text, for patterns and
	// templates: bytes from 0 and characters from 1. Column 0 is no place.
	Offset int `json:"offset,omitempty"`
	Column int `json:"column,omitempty"`
	// Line and LineColumn are the place in a file of rules, from 1; 0 without a file.
	Line       int `json:"line,omitempty"`
	LineColumn int `json:"lineColumn,omitempty"`
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

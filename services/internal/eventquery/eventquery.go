// Package eventquery is the one filter of events for people and programs: a text of
// qualifiers such as
//
//	actor:alice repo:team/app type:image.pushed -type:image.tagged since:2h
//
// Values of one qualifier are alternatives, different qualifiers must all match, and a
// minus excludes. It knows the text and its meaning, not the log.
package eventquery

import (
	"slices"
	"strings"
	"time"
)

// A Term is one qualifier with its value.
type Term struct {
	Not   bool
	Name  string // of the qualifier
	Value string
}

// A Query is what events have to be; the zero Query is all of them.
type Query struct{ Terms []Term }

// A Qualifier is what can be asked for.
type Qualifier struct {
	Name  string
	About string // one line, for people
	check func(value string) string
}

// Qualifiers lists all of them, in the order in which a query is printed.
var Qualifiers = []Qualifier{
	{"type", "type of the event, such as image.pushed; several by image. or image.*", checkType},
	{"aggregate", "what the event is a part of: its kind, such as build, or its whole subject, or the beginning of that with a * behind it", checkText},
	{"repo", "full name of the repository that it is about, such as team/app; also one that was deleted", checkText},
	{"namespace", "name of the user or organization in whose namespace it happened", checkText},
	{"actor", "who did it: a login name, or system, operator, anonymous", checkText},
	{"digest", "digest that it names, such as sha256:ab12…, or the beginning of one with at least 12 digits", checkDigest},
	{"commit", "commit that it names, or the beginning of its id with at least 7 digits", checkCommit},
	{"correlation", "id of the first event of the chain that it belongs to", checkText},
	{"cause", "id of the event that led to it", checkID},
	{"since", "not before this time: 2026-11-01, 2026-11-01T12:00:00Z, or 2h, 3d, 1w ago", checkTime},
	{"before", "before this time, written in the same way", checkTime},
}

// Bounds of a query.
const (
	MaxLength = 2000 // bytes of the text
	MaxTerms  = 40
	maxValue  = 512 // bytes
)

func rank(name string) int {
	return slices.IndexFunc(Qualifiers, func(q Qualifier) bool { return q.Name == name })
}

// names lists what exists, for messages.
func names() string {
	var all []string
	for _, q := range Qualifiers {
		all = append(all, q.Name)
	}
	return strings.Join(all, ", ")
}

// String is the text of the query in its canonical form: qualifiers in one order, each
// value once, quoted where it has to be. Parse reads it back.
func (q Query) String() string {
	var parts []string
	for _, t := range q.Terms {
		parts = append(parts, t.String())
	}
	return strings.Join(parts, " ")
}

// String is the text of one term.
func (t Term) String() string {
	text := t.Name + ":" + quote(t.Value)
	if t.Not {
		return "-" + text
	}
	return text
}

// quote puts a value into quotation marks if it would not be read as one otherwise.
func quote(value string) string {
	if value != "" && !strings.ContainsAny(value, " \t\n\r\v\f\"\\") && !strings.ContainsFunc(value, isSpace) {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// canonical sorts the terms and takes out what is there twice.
func canonical(terms []Term) []Term {
	terms = slices.Clone(terms)
	slices.SortStableFunc(terms, func(a, b Term) int {
		if d := rank(a.Name) - rank(b.Name); d != 0 {
			return d
		}
		if a.Not != b.Not {
			if a.Not {
				return 1
			}
			return -1
		}
		return strings.Compare(a.Value, b.Value)
	})
	return slices.Compact(terms)
}

// With is the query with one term more. The error is that of Parse.
func (q Query) With(t Term) (Query, error) { return Parse(q.String() + " " + t.String()) }

// Without is the query without a term.
func (q Query) Without(t Term) Query {
	return Query{slices.DeleteFunc(slices.Clone(q.Terms), func(other Term) bool { return other == t })}
}

// A Group is the terms of one qualifier that are all wanted or all excluded.
type Group struct {
	Not    bool
	Name   string
	Values []string
}

// Groups are the conditions of the query but those on time: an event matches when it has
// any of the values of each group that is not Not, and none of those of the others.
func (q Query) Groups() (groups []Group) {
	for _, t := range q.Terms {
		if t.Name == "since" || t.Name == "before" {
			continue
		}
		if n := len(groups) - 1; n >= 0 && groups[n].Name == t.Name && groups[n].Not == t.Not {
			groups[n].Values = append(groups[n].Values, t.Value)
		} else {
			groups = append(groups, Group{t.Not, t.Name, []string{t.Value}})
		}
	}
	return groups
}

// Between is the time that the query asks for, as of now; the zero time is no bound. Of
// several times the narrowest counts. An excluded since is a before, and the other way
// round.
func (q Query) Between(now time.Time) (since, before time.Time) {
	for _, t := range q.Terms {
		if t.Name != "since" && t.Name != "before" {
			continue
		}
		at, err := parseTime(t.Value, now)
		if err != nil {
			continue // Parse has refused it
		}
		if (t.Name == "since") != t.Not {
			if at.After(since) {
				since = at
			}
		} else if before.IsZero() || at.Before(before) {
			before = at
		}
	}
	return since, before
}

package catalog

import (
	"context"
	"strings"

	"hubledger/projections"
)

// Visible is what somebody may see. The zero value is nothing.
type Visible struct {
	All          bool     // every repository
	Public       bool     // public ones
	Namespaces   []string // ids: all that these have
	Repositories []string // ids
	Only         []string // full names: of what the rest allows only these; nil for no such limit
}

// A scope is one table of entries and what of it may be seen.
type scope struct {
	table             string
	limited           bool     // to namespaces and repositories
	namespaces, repos [][]byte // ids
	only              []string // names; nil: no such limit
	topic             string   // its word, "" for any
	listed            bool     // few enough to look at each: by only, by who, or by topic
	byOnly, byWho     bool
	big               bool // limited or with a topic, and too many to be listed
}

// scopes are the tables that somebody may see something of.
func scopes(v Visible, topic string) ([]scope, error) {
	all := scope{only: v.Only}
	if topic != "" {
		all.topic = topicWord(topic)
	}
	for _, list := range []struct {
		from []string
		to   *[][]byte
	}{{v.Namespaces, &all.namespaces}, {v.Repositories, &all.repos}} {
		for _, s := range list.from {
			id, err := projections.IDBytes(s)
			if err != nil {
				return nil, err
			}
			*list.to = append(*list.to, id)
		}
	}
	if v.Only != nil {
		all.only = []string{}
		for _, name := range v.Only {
			if nameable.MatchString(name) {
				all.only = append(all.only, name)
			}
		}
	}
	var list []scope
	for _, table := range []string{publicEntries, privateEntries} {
		s := all
		s.table = table
		s.limited = !v.All && !(v.Public && table == publicEntries)
		if !s.limited || len(s.namespaces)+len(s.repos) > 0 {
			list = append(list, s)
		}
	}
	return list, nil
}

// who is true of entries in the namespaces and repositories of a scope.
func (sc *scope) who(s *stmt) string {
	// As expressions, so that no index is used: it would be read to its end.
	namespace, repo := "+e.namespace", "+e.repo"
	if s.dialect == projections.Postgres {
		namespace, repo = "(e.namespace || ''::bytea)", "(e.repo || ''::bytea)"
	}
	return "(" + s.inBytes(namespace, sc.namespaces) + " OR " + s.inBytes(repo, sc.repos) + ")"
}

// conditions narrow the entries e that a source yields to the scope.
func (sc *scope) conditions(s *stmt) (list []string) {
	if sc.limited && !sc.byWho {
		list = append(list, sc.who(s))
	}
	if sc.topic != "" && (!sc.listed || sc.byOnly || sc.byWho) {
		list = append(list, s.contains("e.words", " "+sc.topic+" "))
	}
	return list
}

// source is FROM and WHERE of the entries e of a scope that is listed.
func (sc *scope) source(s *stmt) string {
	switch {
	case sc.byOnly:
		return "FROM " + sc.table + " e WHERE " + s.inTexts("e.name", sc.only)
	case sc.byWho:
		return "FROM (" + sc.whose(s, "id, repo, rank, name, words") + ") AS e WHERE 1 = 1"
	}
	return s.found(sc.table, needle{words: []string{sc.topic}})
}

// whose selects the entries of a scope's namespaces and repositories. What is
// asked of names only is answered from the index of namespaces.
func (sc *scope) whose(s *stmt, columns string) string {
	namespaces := s.inBytes("namespace", sc.namespaces)
	return "SELECT " + columns + " FROM " + sc.table + " WHERE " + namespaces +
		" UNION ALL SELECT " + columns + " FROM " + sc.table + " WHERE " + s.inBytes("repo", sc.repos) + " AND NOT " + namespaces
}

// whole is FROM and WHERE of a scope's table.
func (sc *scope) whole() string { return "FROM " + sc.table + " e WHERE 1 = 1" }

const (
	// maxIndexed is how many matches are worth to be read and ordered. If there
	// are more, a walk along the order of stars and pulls meets enough of them soon.
	maxIndexed = 1000
	// maxTopic is likewise how many entries of a topic are read for a search among them.
	maxTopic = 4000
	// maxListed is how many entries that somebody may see are looked at one by
	// one. Who may see more beyond the public ones gets the right hits, but for
	// the total MaxWindow also when there are fewer, if they fill the page.
	maxListed = 20_000
)

// narrow looks whether a scope has few entries for another reason than the text.
func (r Reader) narrow(ctx context.Context, sc *scope) error {
	if sc.only != nil {
		sc.listed, sc.byOnly = true, true
		return nil
	}
	if sc.limited {
		s := r.stmt()
		n, err := r.count(ctx, s, "FROM ("+sc.whose(s, "id")+") AS e", maxListed)
		if err != nil {
			return err
		}
		sc.byWho = n <= maxListed
		sc.listed = sc.byWho
	}
	if !sc.listed && sc.topic != "" {
		s := r.stmt()
		n, err := r.count(ctx, s, s.matches(sc.table, needle{words: []string{sc.topic}}), maxTopic)
		if err != nil {
			return err
		}
		sc.listed = n <= maxTopic
	}
	sc.big = !sc.listed && (sc.limited || sc.topic != "")
	return nil
}

func (r Reader) stmt() *stmt { return &stmt{dialect: r.Dialect} }

// count is how many entries a source has, at most one more than most.
func (r Reader) count(ctx context.Context, s *stmt, source string, most int) (n int, err error) {
	s.add("SELECT count(*) FROM (SELECT 1 %s LIMIT %d) AS n", source, most+1)
	err = r.DB.QueryRowContext(ctx, s.String(), s.args...).Scan(&n)
	return n, err
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

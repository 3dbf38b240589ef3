package catalog

import (
	"context"
	"encoding/hex"

	"hubledger/projections"
)

// Visible says which repositories a person may see. The zero value is none.
type Visible struct {
	All          bool     // every repository
	Public       bool     // every public repository
	Namespaces   []string // ids: every repository in them
	Repositories []string // ids
	Only         []string // restricts the rest to these full names; nil: no restriction
}

// A scope is one table of entries, restricted to what a person may see and to a
// topic.
type scope struct {
	table             string
	limited           bool     // to namespaces and repos
	namespaces, repos set      // ids in hexadecimal digits
	only              []string // names; nil: no restriction
	topic             string   // its word, "" for any
	// listed: the scope has so few entries, because of only, limited or the
	// topic, that each of them is read.
	listed   bool
	byOnly   bool  // listed, because of only
	byRights bool  // listed, because of limited
	big      bool  // limited or with a topic, and too many entries to be listed
	entries  int   // at most so many, when it is listed
	ids      *set  // of these entries, when byRights and they are few
	few      []hit // these entries, without their class
	sized    bool  // these seven are known
}

// scopes are the tables of which a person may see something.
func scopes(v Visible, topic string) ([]scope, error) {
	all := scope{only: v.Only}
	if topic != "" {
		all.topic = topicWord(topic)
	}
	for _, list := range []struct {
		from []string
		to   *set
	}{{v.Namespaces, &all.namespaces}, {v.Repositories, &all.repos}} {
		ids := make([]string, len(list.from))
		for k, s := range list.from {
			id, err := projections.IDBytes(s)
			if err != nil {
				return nil, err
			}
			ids[k] = hex.EncodeToString(id)
		}
		*list.to = setOf(ids)
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
		if !s.limited || s.namespaces.n+s.repos.n > 0 {
			list = append(list, s)
		}
	}
	return list, nil
}

// permitted is true of entries in the namespaces and repositories of a scope.
func (sc *scope) permitted(s *stmt) string {
	if sc.ids != nil {
		return "+e.id IN (" + s.ints(*sc.ids) + ")"
	}
	// Expressions and not columns, so that no index is used, which would be read to
	// its end. PostgreSQL hashes a subquery once, but would go through an array for
	// each entry.
	namespace, repo := "+e.namespace", "+e.repo"
	if s.dialect == projections.Postgres {
		namespace, repo = "(e.namespace || ''::bytea)", "(e.repo || ''::bytea)"
	}
	return "(" + namespace + " IN (" + s.ids(sc.namespaces) + ") OR " + repo + " IN (" + s.ids(sc.repos) + "))"
}

// conditions narrow the entries e that a source yields to the scope.
func (sc *scope) conditions(s *stmt) (list []string) {
	if sc.limited && !sc.byRights {
		list = append(list, sc.permitted(s))
	}
	if sc.topic != "" && (!sc.listed || sc.byOnly || sc.byRights) {
		list = append(list, s.contains("e.words", " "+sc.topic+" "))
	}
	return list
}

// whole is the scope for entries that were found anywhere in its table.
func (sc scope) whole() *scope {
	sc.listed, sc.byRights = false, false
	return &sc
}

// source is FROM and WHERE of the entries e of a scope that is listed.
func (sc *scope) source(s *stmt) string {
	switch {
	case sc.byOnly:
		return "FROM " + sc.table + " e WHERE " + s.inTexts("e.name", sc.only)
	case sc.ids != nil:
		return "FROM " + sc.table + " e WHERE " + s.in("e.id", s.ints(*sc.ids))
	case sc.byRights:
		return "FROM (" + sc.selectPermitted(s, "id, repo, rank, name, words") + ") AS e WHERE 1 = 1"
	}
	return s.found(sc.table, needle{words: []string{sc.topic}})
}

// selectPermitted selects columns of the entries in a scope's namespaces and
// repositories. The index of namespaces alone has all that is needed of names.
func (sc *scope) selectPermitted(s *stmt, columns string) string {
	namespaces := s.in("namespace", s.ids(sc.namespaces))
	return "SELECT " + columns + " FROM " + sc.table + " WHERE " + namespaces +
		" UNION ALL SELECT " + columns + " FROM " + sc.table + " WHERE " + s.in("repo", s.ids(sc.repos)) + " AND NOT " + namespaces
}

// allEntries is FROM and WHERE of a scope's whole table.
func (sc *scope) allEntries() string { return "FROM " + sc.table + " e WHERE 1 = 1" }

const (
	// maxIndexed is up to how many matches an index is read for at least, and the
	// matches sorted.
	maxIndexed = 1000
	// maxTopic is up to how many entries of a topic are all read for a search.
	maxTopic = 4000
	// maxListed is up to how many entries, beyond the public ones, that a person
	// may see are all read for a search. A person who may see more gets the same
	// hits, but may get MaxWindow as the total when the hits fill the page.
	maxListed = 20_000
	// maxFew is up to how many of them are read once for a whole search.
	maxFew = 2000
)

// size finds out whether a scope has few entries, whatever the text of the query.
func (r Reader) size(ctx context.Context, sc *scope) (err error) {
	if sc.sized {
		return nil
	}
	sc.sized = true
	if sc.only != nil {
		sc.listed, sc.byOnly, sc.entries = true, true, len(sc.only)
		return nil
	}
	if sc.limited {
		if sc.entries, err = r.countPermitted(ctx, sc); err != nil {
			return err
		}
		sc.byRights = sc.entries <= maxListed
		sc.listed = sc.byRights
		if sc.entries <= maxFew {
			if err := r.findPermitted(ctx, sc); err != nil {
				return err
			}
		}
	}
	if !sc.listed && sc.topic != "" {
		s := r.stmt()
		if sc.entries, err = r.count(ctx, s, s.matches(sc.table, needle{words: []string{sc.topic}}), maxTopic); err != nil {
			return err
		}
		sc.listed = sc.entries <= maxTopic
	}
	sc.big = !sc.listed && (sc.limited || sc.topic != "")
	return nil
}

// countPermitted is how many entries a scope's namespaces and repositories have at
// most. It looks for the repositories only if all of them would be too many to be
// listed.
func (r Reader) countPermitted(ctx context.Context, sc *scope) (int, error) {
	s, n := r.stmt(), 0
	if sc.namespaces.n > 0 {
		var err error
		if n, err = r.count(ctx, s, "FROM "+sc.table+" WHERE "+s.in("namespace", s.ids(sc.namespaces)), maxListed); err != nil {
			return 0, err
		}
	}
	if n > maxListed || n+sc.repos.n <= maxListed {
		return n + sc.repos.n, nil
	}
	s = r.stmt()
	return r.count(ctx, s, "FROM ("+sc.selectPermitted(s, "id")+") AS e", maxListed)
}

// findPermitted reads the entries of a scope's namespaces and repositories.
func (r Reader) findPermitted(ctx context.Context, sc *scope) error {
	s := r.stmt()
	s.add("%s", sc.selectPermitted(s, "id, rank, name"))
	rows, err := r.DB.QueryContext(ctx, s.String(), s.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	ids := []int64{}
	for rows.Next() {
		h := hit{table: sc.table}
		if err := rows.Scan(&h.id, &h.rank, &h.name); err != nil {
			return err
		}
		ids, sc.few = append(ids, h.id), append(sc.few, h)
	}
	found := setOf(ids)
	sc.ids, sc.entries = &found, found.n
	return rows.Err()
}

func (r Reader) stmt() *stmt { return &stmt{dialect: r.Dialect} }

// count is how many entries a source has, at most one more than most.
func (r Reader) count(ctx context.Context, s *stmt, source string, most int) (n int, err error) {
	s.add("SELECT count(*) FROM (SELECT 1 %s LIMIT %d) AS n", source, most+1)
	err = r.DB.QueryRowContext(ctx, s.String(), s.args...).Scan(&n)
	return n, err
}

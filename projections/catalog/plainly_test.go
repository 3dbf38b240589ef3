package catalog_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"hubledger/projections"
	"hubledger/projections/catalog"
)

// A row is an entry as the tables have it.
type row struct {
	repo, namespace, name, words string
	rank, updated                int64
	public                       bool
}

func rowsOf(t *testing.T, store projections.Store) (list []row) {
	t.Helper()
	rows, err := store.DB().QueryContext(t.Context(), `SELECT e.repo, e.namespace, e.name, e.words, e.rank, p.updated, e.public FROM (
		SELECT repo, namespace, name, words, rank, 1 AS public FROM public_entries
		UNION ALL SELECT repo, namespace, name, words, rank, 0 FROM private_entries) AS e JOIN pushes p ON p.repo = e.repo`)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var r row
		var repo, ns []byte
		var public int
		check(t, rows.Scan(&repo, &ns, &r.name, &r.words, &r.rank, &r.updated, &public))
		r.repo, r.namespace, r.public = projections.IDOf(repo), projections.IDOf(ns), public == 1
		list = append(list, r)
	}
	check(t, rows.Err())
	return list
}

// visible says which rows somebody may see.
func visible(v catalog.Visible) func(row) bool {
	set := func(list []string) map[string]bool {
		m := map[string]bool{}
		for _, s := range list {
			m[s] = true
		}
		return m
	}
	namespaces, repos, only := set(v.Namespaces), set(v.Repositories), set(v.Only)
	return func(r row) bool {
		return (v.Only == nil || only[r.name]) && (v.All || v.Public && r.public || namespaces[r.namespace] || repos[r.repo])
	}
}

// inName is the class in which a name matches terms; 9 if it does not.
func inName(name string, terms []string) int {
	if len(terms) == 1 {
		switch term := terms[0]; {
		case name == term:
			return 0
		case strings.HasPrefix(name, term):
			return 1
		case strings.Contains(name, "/"+term):
			return 2
		case len(term) < 3:
			return 9
		}
	}
	long := false
	for _, term := range terms {
		if !strings.Contains(name, term) {
			return 9
		}
		long = long || len(term) > 2
	}
	if !long {
		return 9
	}
	return 3
}

// plainly is what a search has to find, found by looking at everything. Its terms
// can all be in names; alike are the parts of names that are similar to its only term.
func plainly(all []row, q catalog.Query, alike []string) (names []string) {
	words := strings.FieldsFunc(q.Text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	var terms []string
	for _, term := range strings.Fields(q.Text) {
		if strings.ContainsFunc(term, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }) {
			terms = append(terms, term)
		}
	}
	type found struct {
		row
		class int
	}
	var list []found
	matching, may := 0, visible(q.Visible)
	for _, r := range all {
		if !may(r) || q.Topic != "" && !strings.Contains(r.words, " :"+q.Topic+" ") {
			continue
		}
		f := found{r, 0}
		if q.Text != "" {
			f.class = inName(r.name, terms)
		}
		if f.class < 9 {
			matching++
		}
		list = append(list, f)
	}
	if matching >= 10 || len(terms) != 1 {
		alike = nil
	}
	for k, f := range list {
		switch {
		case f.class < 9:
		case slices.ContainsFunc(alike, func(part string) bool { return strings.Contains(f.name, part) }):
			list[k].class = 4
		case len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(f.words, " "+w+" ") }):
			list[k].class = 5
		}
	}
	list = slices.DeleteFunc(list, func(f found) bool { return f.class == 9 })
	slices.SortFunc(list, func(a, b found) int {
		if q.Text == "" && q.Sort == catalog.ByName {
			return strings.Compare(a.name, b.name)
		}
		if q.Text == "" && q.Sort == catalog.ByUpdated {
			return cmp.Or(cmp.Compare(b.updated, a.updated), strings.Compare(a.name, b.name))
		}
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.rank, b.rank), strings.Compare(a.name, b.name))
	})
	for _, f := range list {
		names = append(names, f.name)
	}
	return names
}

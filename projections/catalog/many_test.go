package catalog_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hubledger/projections"
	"hubledger/projections/catalog"
)

// A row is an entry as the tables have it.
type row struct {
	repo, namespace, name, words string
	rank                         int64
	public                       bool
}

func rowsOf(t *testing.T, store projections.Store) (list []row) {
	t.Helper()
	rows, err := store.DB().QueryContext(t.Context(), `SELECT repo, namespace, name, words, rank, 1 FROM public_entries
		UNION ALL SELECT repo, namespace, name, words, rank, 0 FROM private_entries`)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var r row
		var repo, ns []byte
		var public int
		check(t, rows.Scan(&repo, &ns, &r.name, &r.words, &r.rank, &public))
		r.repo, r.namespace, r.public = fmt.Sprintf("%x", repo), fmt.Sprintf("%x", ns), public == 1
		list = append(list, r)
	}
	return list
}

// plainly is what a search has to find, found by looking at everything.
func plainly(all []row, term string, v catalog.Visible) (names []string) {
	has := func(ids []string, id string) bool {
		return slices.ContainsFunc(ids, func(s string) bool { return strings.ReplaceAll(s, "-", "") == id })
	}
	type found struct {
		row
		class int
	}
	var list []found
	for _, r := range all {
		class := 9
		switch {
		case !v.All && !(v.Public && r.public) && !has(v.Namespaces, r.namespace) && !has(v.Repositories, r.repo):
		case r.name == term || term == "":
			class = 0
		case strings.HasPrefix(r.name, term):
			class = 1
		case strings.Contains(r.name, "/"+term):
			class = 2
		case strings.Contains(r.name, term) && len(term) > 2:
			class = 3
		case strings.Contains(r.words, " "+term+" "):
			class = 5
		}
		if class < 9 {
			list = append(list, found{r, class})
		}
	}
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.rank, b.rank), strings.Compare(a.name, b.name))
	})
	for _, f := range list {
		names = append(names, f.name)
	}
	return names
}

// Whatever way a search takes, by an index or along the order, through few
// entries or many, it finds what looking at everything finds.
func TestManyMatches(t *testing.T) {
	const n = 4500
	who := visitors(n)
	for _, p := range storages {
		t.Run(p.Name, func(t *testing.T) {
			store := build(t, p.New(t), bigHub(n))
			defer store.Close()
			r := catalog.Reader{DB: store.DB(), Dialect: store.Dialect()}
			all := rowsOf(t, store)
			hot := 0
			for visitor, v := range who {
				for _, term := range []string{"", "a", "b", "m", "9", "ac", "ng", "app", "acme", "acme/", "service", "api", "web", "kafka", "nginx", "docker", "image", "go", "the", "deprecated", "nightly", "unofficial"} {
					want := plainly(all, term, v)
					if len(want) > catalog.MaxWindow {
						hot++
					}
					for _, from := range []int{0, 20, 700} {
						list, total, err := r.Search(t.Context(), catalog.Query{Text: term, Visible: v, Offset: from, Limit: 50})
						check(t, err)
						end := min(from+50, len(want), catalog.MaxWindow)
						if w := strings.Join(want[min(from, end):end], " "); names(list) != w || total != min(len(want), catalog.MaxWindow) {
							t.Errorf("%s asking %q from %d finds %d:\n%.300s\nnot %d:\n%.300s", visitor, term, from, total, names(list), len(want), w)
						}
					}
				}
			}
			if hot < 20 {
				t.Errorf("only %d searches have many matches", hot)
			}
		})
	}
}

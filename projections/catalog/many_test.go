package catalog_test

import (
	"strings"
	"testing"

	"hubledger/projections/catalog"
)

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
					want := plainly(all, catalog.Query{Text: term, Visible: v}, nil)
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

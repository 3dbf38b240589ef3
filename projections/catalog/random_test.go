package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hubledger/projections/catalog"
)

// randomText is what somebody may type: words of names and descriptions, parts
// of names, and words with a wrong letter.
func randomText(rng *rand.Rand, n int) string {
	word := func() string {
		switch w := bigWords[skewed(rng, len(bigWords))]; rng.IntN(6) {
		case 0:
			return bigProse[rng.IntN(len(bigProse))]
		case 1:
			name := bigName(rng.IntN(n))
			from := rng.IntN(len(name))
			return name[from : from+1+rng.IntN(len(name)-from)]
		case 2:
			wrong := []byte(w)
			wrong[rng.IntN(len(w))] = byte('a' + rng.IntN(26))
			return string(wrong)
		case 3:
			return w[:1+rng.IntN(len(w))]
		case 4:
			return fmt.Sprint(w, rng.IntN(100))
		default:
			return w
		}
	}
	var words []string
	for k := []int{0, 1, 1, 1, 1, 2, 2, 3}[rng.IntN(8)]; k > 0; k-- {
		words = append(words, word())
	}
	return strings.Join(words, " ")
}

func randomQuery(rng *rand.Rand, n int) catalog.Query {
	q := catalog.Query{Text: randomText(rng, n), Limit: []int{0, 1, 10, 100}[rng.IntN(4)]}
	if rng.IntN(5) == 0 {
		q.Topic = bigWords[skewed(rng, len(bigWords))]
	}
	if rng.IntN(2) == 0 {
		q.Sort = []catalog.Sort{catalog.ByName, catalog.ByStars, catalog.ByUpdated}[rng.IntN(3)]
	}
	if rng.IntN(3) == 0 {
		q.Offset = rng.IntN(catalog.MaxWindow - 100)
	}
	return q
}

// randomVisitors are those of visitors, and some with few, many and odd rights.
func randomVisitors(rng *rand.Rand, n int) []catalog.Visible {
	list := []catalog.Visible{{}}
	for _, v := range visitors(n) {
		list = append(list, v)
	}
	few, half := catalog.Visible{Public: true}, catalog.Visible{Public: true, Namespaces: []string{idFor("namespace acme")}}
	only := catalog.Visible{All: true}
	for k := range n {
		switch rng.IntN(200) {
		case 0:
			few.Repositories = append(few.Repositories, idFor(bigName(k)))
		case 1, 2, 3:
			only.Only = append(only.Only, bigName(k))
		}
		if k%6 == 0 {
			half.Repositories = append(half.Repositories, idFor(bigName(k)))
		}
	}
	closed, narrow := half, half
	closed.Public, narrow.Only = false, only.Only
	return append(list, few, half, only, closed, narrow)
}

// Searches find what looking at everything finds, in its order, whatever is asked by whomever.
func TestRandomSearches(t *testing.T) {
	const n = 4500
	for _, p := range storages {
		t.Run(p.Name, func(t *testing.T) {
			store := build(t, p.New(t), bigHub(n))
			defer store.Close()
			r := catalog.Reader{DB: store.DB(), Dialect: store.Dialect()}
			all := rowsOf(t, store)
			rng := rand.New(rand.NewPCG(1, 1))
			who := randomVisitors(rng, n)
			for range 500 {
				k := rng.IntN(len(who))
				q := randomQuery(rng, n)
				var alike []string
				if len(strings.Fields(q.Text)) == 1 {
					var err error
					alike, err = r.Alike(t.Context(), q.Text)
					check(t, err)
				}
				asked := fmt.Sprintf("visitor %d asking %+v", k, q)
				q.Visible = who[k]
				list, total, err := r.Search(t.Context(), q)
				check(t, err)
				want := plainly(all, q, alike)
				window := want[:min(len(want), catalog.MaxWindow)]
				if q.Limit == 0 {
					q.Limit = 25
				}
				from := min(q.Offset, len(window))
				page := strings.Join(window[from:min(from+q.Limit, len(window))], " ")
				if names(list) != page || total != len(window) {
					t.Errorf("%s finds %d:\n%.300s\nnot %d:\n%.300s", asked, total, names(list), len(window), page)
				}
			}
		})
	}
}

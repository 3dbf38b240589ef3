package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"hubledger/events"
	"hubledger/projections/catalog"
	"hubledger/projections/projectiontest"
)

// random is a history of n events that its services could have decided.
func random(t testing.TB, rng *rand.Rand, n int) *history {
	h := &history{t: t}
	type repo struct {
		name            string
		public, deleted bool
		stars           map[int]bool
	}
	var repos []*repo
	for h.n < n {
		if len(repos) == 0 || rng.IntN(10) == 0 {
			r := &repo{name: fmt.Sprintf("ns%d/%s-%d", rng.IntN(5), []string{"app", "postgres", "nginx_web"}[rng.IntN(3)], len(repos)), stars: map[int]bool{}}
			h.add(events.NamespaceCreated{Namespace: namespaceOf(r.name), Name: r.name[:3]})
			h.create(r.name, []string{events.Public, events.Private, ""}[rng.IntN(3)])
			repos = append(repos, r)
		}
		r := repos[rng.IntN(len(repos))]
		ns, id := namespaceOf(r.name), idFor(r.name)
		switch rng.IntN(9) {
		case 0:
			if r.deleted = !r.deleted; r.deleted {
				h.add(events.RepositoryDeleted{Namespace: ns, Repository: id, Name: r.name})
			} else {
				h.add(events.RepositoryRestored{Namespace: ns, Repository: id, Name: r.name})
			}
		case 1:
			r.public = !r.public
			v := events.Private
			if r.public {
				v = events.Public
			}
			h.add(events.RepositoryVisibilityChanged{Namespace: ns, Repository: id, Name: r.name, Visibility: v})
		case 2, 3:
			h.describe(r.name, []string{"", "A nul\x00 inside", "Größe, 100% “quoted”\"", "plain words"}[rng.IntN(4)],
				[]string{"db", "time-series", "Odd Topic", "", "'"}[:rng.IntN(6)]...)
		case 4, 5:
			user := rng.IntN(4)
			if r.stars[user] = !r.stars[user]; r.stars[user] {
				h.add(events.StarGiven{Namespace: ns, Repository: id, User: idFor(fmt.Sprint("user ", user))})
			} else {
				h.add(events.StarWithdrawn{Namespace: ns, Repository: id, User: idFor(fmt.Sprint("user ", user))})
			}
		case 6:
			h.pull(r.name, 1+rng.Int64N(50))
		case 7:
			h.push(r.name, []string{"latest", "v1", ""}[rng.IntN(3)])
		case 8:
			h.add(events.TagDeleted{Namespace: ns, Repository: id, Tag: "v1"})
		}
	}
	return h
}

// Row by row, in batches, rebuilt: the rows are the same, and so are the
// entries that the store makes of them.
func TestConverges(t *testing.T) {
	for _, p := range storages {
		t.Run(p.Name, func(t *testing.T) {
			rng := projectiontest.Seed(t)
			projectiontest.Converge(t, &catalog.Projection, &random(t, rng, 400).log, rng, p.New(t))
		})
	}
}

// The indexes find what the entries say, after any history.
func TestIndexesFollow(t *testing.T) {
	rng := projectiontest.Seed(t)
	h := random(t, rng, 600)
	answers := map[string]bool{}
	onEach(t, h, func(t *testing.T, r catalog.Reader) {
		all := ""
		for _, text := range []string{"app", "postgres", "web", "plain", "größe", "db", "n", "ns1/"} {
			list, total, err := r.Search(t.Context(), catalog.Query{Text: text, Visible: everything, Limit: 500})
			check(t, err)
			for _, e := range list {
				all += fmt.Sprintf("%s %d: %+v\n", text, total, e)
			}
		}
		answers[all] = true
	})
	if len(answers) != 1 {
		t.Errorf("%d different answers", len(answers))
	}
}

package builds_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/projectiontest"
)

const repoA, repoB = 21, 22 // repositories

// set makes rules of a repository for a source, or with 0 ends its automated builds.
func set(repo, source int, same bool, rules ...events.BuildRule) events.RulesSet {
	e := events.RulesSet{Namespace: id(acme), Repository: id(repo), Name: fmt.Sprint("acme/", repo), SameSource: same, Rules: rules}
	if source != 0 {
		e.Source = id(source)
	}
	return e
}

var edge = events.BuildRule{Name: "edge", Branch: "main", Tags: []string{"edge"}, Autobuild: true}

// Row by row, in batches with interruptions and in bulk the log comes to the same
// rows, on either store: rules and what they are evaluated for.
func TestRulesConverge(t *testing.T) {
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		rng := projectiontest.Seed(t)
		list := story()
		for range 300 {
			list = append(list, randomRules(rng))
		}
		projectiontest.Converge(t, &builds.Projection, history(list...), rng, storage)
	})
}

func randomRules(rng *rand.Rand) events.Payload {
	repo, source := repoA+rng.IntN(5), app+rng.IntN(4)
	switch rng.IntN(6) {
	case 0:
		return set(repo, 0, false)
	case 1:
		return set(repo, source, rng.IntN(2) == 0, edge, events.BuildRule{Name: "other", Tag: "v1", Tags: []string{"x"}, Args: map[string]string{"A": "\x01é"}})
	case 2:
		return events.RepositoryDeleted{Namespace: id(acme), Repository: id(repo), Name: fmt.Sprint("acme/", repo)}
	case 3:
		return events.RepositoryRestored{Namespace: id(acme), Repository: id(repo), Name: fmt.Sprint("acme/", repo)}
	}
	return events.PushEvaluated{Namespace: id(acme), Repository: id(repo), Name: fmt.Sprint("acme/", repo), Source: id(source), Ref: fmt.Sprint("refs/tags/v", rng.IntN(9)),
		Commit: fmt.Sprint("c", rng.IntN(9)), RulesEvent: id(9), Verdicts: []events.RuleVerdict{{Rule: "edge", Outcome: events.OutcomeBuild, Detail: "é\x01", Tags: []string{"edge"}}}}
}

// Rules are read as they were set, and the latest ones count.
func TestRules(t *testing.T) {
	rules := []events.BuildRule{{Name: "release", Tag: `/^v(.*)$/`, Tags: []string{`{\1}`, "latest"}, Cache: true, Args: map[string]string{"A": "1\n\x02"}, Paths: []string{"!docs"}}, edge}
	onEach(t, []events.Payload{set(repoA, app, false, edge), set(repoB, app, false, rules...), set(repoA, lib, false, rules...), set(repoB, 0, false)}, func(t *testing.T, r builds.Reader) {
		a, err := r.Rules(t.Context(), id(repoA))
		if err != nil || a.Namespace != id(acme) || a.Name != "acme/21" || a.Source != id(lib) || !reflect.DeepEqual(a.Rules, rules) ||
			a.Seq != 3 || a.Actor != "tester" || !a.Changed.Equal(noon.Add(3*time.Minute)) {
			t.Errorf("%+v, %v", a, err)
		}
		ended, err := r.Rules(t.Context(), id(repoB))
		if err != nil || ended.Source != "" || ended.Rules != nil || ended.Seq != 4 {
			t.Errorf("%+v, %v", ended, err)
		}
		if n, err := r.Fed(t.Context(), id(lib), id(repoB)); err != nil || n != 1 {
			t.Errorf("%d repositories are fed, %v", n, err)
		}
		if n, err := r.Fed(t.Context(), id(lib), id(repoA)); err != nil || n != 0 {
			t.Errorf("%d other repositories are fed, %v", n, err)
		}
		for _, unknown := range []string{id(9), "x"} {
			if _, err := r.Rules(t.Context(), unknown); !errors.Is(err, builds.ErrNotFound) {
				t.Errorf("%s: %v", unknown, err)
			}
		}
	})
}

// Which refs are due for the rules of which repositories.
func TestDuePushes(t *testing.T) {
	deleted := events.RepositoryDeleted{Namespace: id(acme), Repository: id(repoA), Name: "acme/21"}
	restored := events.RepositoryRestored{Namespace: id(acme), Repository: id(repoA), Name: "acme/21"}
	existing := linked(app, "acme/app", "https://x/app")
	existing.Settings.BuildExisting = true
	first := moved(app, "refs/heads/main", "", "c1")
	first.Initial = true
	link, move, again := linked(app, "acme/app", "https://x/app"), moved(app, "refs/heads/main", "c1", "c2"), moved(app, "refs/heads/main", "c2", "c3")
	rules := set(repoA, app, false, edge)
	for what, row := range map[string]struct {
		list []events.Payload
		due  string
	}{
		"a move":                               {[]events.Payload{link, rules, move}, "21 main c2"},
		"two moves are the last one":           {[]events.Payload{link, rules, move, again}, "21 main c3"},
		"a move before the rules":              {[]events.Payload{link, move, rules}, ""},
		"rules that changed behind it":         {[]events.Payload{link, rules, move, set(repoA, app, true, edge, edge)}, "21 main c2"},
		"rules that ended":                     {[]events.Payload{link, rules, move, set(repoA, 0, false)}, ""},
		"rules that ended and came back":       {[]events.Payload{link, rules, move, set(repoA, 0, false), rules}, ""},
		"rules for another source":             {[]events.Payload{link, linked(lib, "acme/lib", "https://x/lib"), rules, move, set(repoA, lib, false, edge)}, ""},
		"two repositories":                     {[]events.Payload{link, rules, set(repoB, app, false, edge), move}, "21 main c2, 22 main c2"},
		"a deleted ref":                        {[]events.Payload{link, rules, move, moved(app, "refs/heads/main", "c2", "")}, ""},
		"there at the first sweep":             {[]events.Payload{link, rules, first}, ""},
		"there at the first sweep, and wanted": {[]events.Payload{existing, first, rules}, "21 main c1"},
		"a source that was unlinked":           {[]events.Payload{link, rules, move, events.SourceUnlinked{Namespace: id(acme), Source: id(app), Name: "acme/app"}}, ""},
		"a deleted repository":                 {[]events.Payload{link, rules, move, deleted}, ""},
		"a restored repository":                {[]events.Payload{link, rules, move, deleted, restored}, "21 main c2"},
		"other sources":                        {[]events.Payload{link, linked(lib, "acme/lib", "https://x/lib"), rules, moved(lib, "refs/heads/main", "", "d1")}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			onEach(t, row.list, func(t *testing.T, r builds.Reader) {
				feeds, err := r.Feeds(t.Context())
				check(t, err)
				var due []string
				var keys []builds.DueKey
				var of []string // repositories
				for _, f := range feeds {
					list, err := r.DuePushes(t.Context(), f.Repository, 0, 9)
					check(t, err)
					for _, k := range list {
						if k.Seq > f.Newest {
							t.Errorf("%+v is newer than the newest of %+v", k, f)
						}
						of, keys = append(of, f.Repository), append(keys, k)
						if later, err := r.DuePushes(t.Context(), f.Repository, k.Seq, 9); err != nil || len(later) != 0 {
							t.Errorf("behind it %+v are due, %v", later, err)
						}
					}
				}
				for n, k := range keys {
					p, err := r.DuePush(t.Context(), of[n], k.Cause)
					check(t, err)
					if k.Correlation == "" || p.Source != id(app) || len(p.Rules) == 0 || p.RulesEvent == "" || p.Namespace != id(acme) {
						t.Errorf("%+v of %+v", p, k)
					}
					due = append(due, fmt.Sprint(strings.TrimPrefix(p.Name, "acme/"), " ", strings.TrimPrefix(p.Ref, "refs/heads/"), " ", p.Commit))
				}
				if got := strings.Join(due, ", "); got != row.due {
					t.Errorf("due are %q, want %q", got, row.due)
				}
				if _, err := r.DuePush(t.Context(), id(repoA), id(7)); !errors.Is(err, builds.ErrNotFound) {
					t.Errorf("of another event: %v", err)
				}
			})
		})
	}
}

package builds_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

func pull(n, number int, from, target, old, new string) events.PullRequestChanged {
	return events.PullRequestChanged{Namespace: id(acme), Source: id(n), Ref: fmt.Sprintf("refs/pull/%d/head", number), Old: old, New: new,
		PullRequest: events.PullRequest{Number: number, From: from, Target: target}}
}

func watching(n int, on bool) events.PullRequestsWatched {
	return events.PullRequestsWatched{Namespace: id(acme), Source: id(n), On: on, PullRequests: 1}
}

// tested is the rule edge for pull requests, too.
func tested(mode string) events.BuildRule {
	r := edge
	r.Autotest = mode
	return r
}

// onSQLite reads what a history comes to, on one of both stores: for tables of cases.
func onSQLite(t *testing.T, list []events.Payload, test func(t *testing.T, r builds.Reader)) {
	store, err := sqlitestore.Dir(t.TempDir()).Open(t.Context(), &builds.Projection, projections.Options{})
	check(t, err)
	defer store.Close()
	check(t, projections.CatchUp(t.Context(), store, history(list...), uint64(len(list)), nil))
	test(t, builds.Reader{DB: store.DB()})
}

// Row by row, in batches with interruptions and in bulk pull requests come to the same
// rows, on either store.
func TestPullRequestsConverge(t *testing.T) {
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		rng := projectiontest.Seed(t)
		list := story()
		for k := range 300 {
			list = append(list, randomPull(rng, k))
		}
		projectiontest.Converge(t, &builds.Projection, history(list...), rng, storage)
	})
}

func randomPull(rng *rand.Rand, k int) events.Payload {
	n, number := app+rng.IntN(3), 1+rng.IntN(9)
	p := pull(n, number, []string{events.PullOwn, events.PullFork}[rng.IntN(2)], "refs/heads/é\x01", "", fmt.Sprint("c", rng.IntN(9)))
	switch rng.IntN(6) {
	case 0:
		return watching(n, rng.IntN(2) == 0)
	case 1:
		return events.HookReceived{Namespace: id(acme), Source: id(n), Delivery: fmt.Sprint(k), Event: "pull_request",
			PullRequest: &events.HookPullRequest{Number: number, Head: "c1", Target: "refs/heads/main", Own: rng.IntN(2) == 0}}
	case 2:
		s := set(repoA+rng.IntN(3), n, rng.IntN(2) == 0, tested([]string{"off", "own", "all"}[rng.IntN(3)]))
		s.SameTests = rng.IntN(2) == 0
		return s
	case 3:
		return events.PushEvaluated{Namespace: id(acme), Repository: id(repoA + rng.IntN(3)), Source: id(n), Ref: p.Ref, Commit: p.New, RulesEvent: id(9), PullRequest: &p.PullRequest,
			Verdicts: []events.RuleVerdict{{Rule: "edge", Outcome: events.OutcomeTest}}}
	case 4:
		return events.BuildQueued{Namespace: id(acme), Repository: id(repoA), Build: id(1000 + k), Source: id(n), Ref: p.Ref, Kind: events.RefBranch, Commit: p.New, Rule: edge, Test: true, PullRequest: &p.PullRequest}
	}
	return p
}

// Pull requests are read apart from branches and tags, with what webhooks said of them.
func TestPullRequests(t *testing.T) {
	rules := set(repoA, app, false, tested("own"))
	closed := pull(app, 2, events.PullOwn, "refs/heads/main", "p2", "")
	hook := events.HookReceived{Namespace: id(acme), Source: id(app), Delivery: "1", PullRequest: &events.HookPullRequest{Number: 1, Head: "p1", Target: "refs/heads/old", Own: true}}
	newer := hook
	newer.Delivery, newer.PullRequest = "2", &events.HookPullRequest{Number: 1, Head: "p1", Target: "refs/heads/main", Closed: true}
	onEach(t, append(story(), rules, pull(app, 1, events.PullFork, "refs/heads/main", "", "p1"), pull(app, 2, events.PullOwn, "refs/heads/main", "", "p2"), closed, watching(app, true), hook, newer,
		events.RepositoryDeleted{Namespace: id(acme), Repository: id(repoB), Name: "acme/22"}, set(repoB, app, false, tested("all"))), func(t *testing.T, r builds.Reader) {
		ctx := t.Context()
		p, err := r.Pulls(ctx, id(app))
		if err != nil || *p != (builds.Pulls{Rules: 12, Watched: true}) {
			t.Errorf("%+v, %v", p, err)
		}
		if all, err := r.Watched(ctx); err != nil || len(all) != 1 || all[0] != (builds.Watched{ID: id(app), Seq: 10, Rules: 12, Hook: 18}) {
			t.Errorf("watched are %+v, %v", all, err)
		}
		at, err := r.PullsAt(ctx, id(app))
		want := map[string]builds.PullAt{"refs/pull/1/head": {Commit: "p1", Pull: events.PullRequest{Number: 1, From: events.PullFork, Target: "refs/heads/main"}},
			"refs/pull/2/head": {Pull: closed.PullRequest}}
		if err != nil || !reflect.DeepEqual(at, want) {
			t.Errorf("%+v, %v", at, err)
		}
		told, err := r.ToldPulls(ctx, id(app))
		if err != nil || len(told) != 1 || told[1] != *newer.PullRequest {
			t.Errorf("%+v, %v", told, err)
		}
		places, err := r.Places(ctx, id(app))
		if err != nil || len(places) != 2 {
			t.Errorf("pull requests are among branches and tags: %v, %v", places, err)
		}
		if list, err := r.Refs(ctx, id(app), 0, 9); err != nil || len(list) != 3 {
			t.Errorf("%+v, %v", list, err)
		}
		if due, err := r.DuePushes(ctx, id(repoA), 0, 9); err != nil || len(due) != 1 || due[0].Pull == nil {
			t.Errorf("due are %+v, %v", due, err)
		}
		list, err := r.PullRequests(ctx, id(app), 0, 9)
		if err != nil || len(list) != 2 || list[0].Pull.Number != 2 || list[0].Commit != "" || list[0].Previous != "p2" || list[1].Commit != "p1" || list[1].Kind != builds.PullRequest {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// Which pull requests are due for the rules of which repositories.
func TestDuePullRequests(t *testing.T) {
	existing := linked(app, "acme/app", "https://x/app")
	existing.Settings.BuildExisting = true
	link, own, opened := linked(app, "acme/app", "https://x/app"), set(repoA, app, false, tested("own")), pull(app, 1, events.PullOwn, "refs/heads/main", "", "p1")
	first := opened
	first.Initial = true
	same := set(repoA, app, true, tested("all"))
	same.SameTests = true
	for what, row := range map[string]struct {
		list []events.Payload
		due  string
	}{
		"opened":                                {[]events.Payload{link, own, opened}, "21 p1"},
		"moved on":                              {[]events.Payload{link, own, opened, pull(app, 1, events.PullOwn, "refs/heads/main", "p1", "p2")}, "21 p2"},
		"closed":                                {[]events.Payload{link, own, opened, pull(app, 1, events.PullOwn, "refs/heads/main", "p1", "")}, ""},
		"there at the first look":               {[]events.Payload{link, own, first}, ""},
		"there at the first look, all is built": {[]events.Payload{existing, own, first}, ""},
		"that one moves":                        {[]events.Payload{link, own, first, pull(app, 1, events.PullOwn, "refs/heads/main", "p1", "p2")}, "21 p2"},
		"no rule tests":                         {[]events.Payload{link, set(repoA, app, false, edge), opened}, ""},
		"the rule of one of two tests":          {[]events.Payload{link, set(repoA, app, false, edge), set(repoB, app, false, tested("all")), opened}, "22 p1"},
		"rules of a file may test":              {[]events.Payload{link, events.RulesSet{Namespace: id(acme), Repository: id(repoA), Name: "acme/21", Source: id(app), FromFile: true}, opened}, "21 p1"},
		"opened before a rule tests":            {[]events.Payload{link, set(repoA, app, false, edge), opened, set(repoA, app, true, tested("own"))}, ""},
		"rules that changed behind it":          {[]events.Payload{link, own, opened, same}, "21 p1"},
		"tests that ended":                      {[]events.Payload{link, own, opened, set(repoA, app, true, edge)}, ""},
		"tests that ended and came back":        {[]events.Payload{link, own, opened, set(repoA, app, true, edge), set(repoA, app, true, tested("own"))}, ""},
		"tests of another source":               {[]events.Payload{link, linked(lib, "acme/lib", "https://x/lib"), own, opened, set(repoA, lib, false, tested("own"))}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			onSQLite(t, row.list, func(t *testing.T, r builds.Reader) {
				feeds, err := r.Feeds(t.Context())
				check(t, err)
				var due []string
				for _, f := range feeds {
					keys, err := r.DuePushes(t.Context(), f.Repository, 0, 9)
					check(t, err)
					for _, k := range keys {
						p, err := r.DuePush(t.Context(), f.Repository, k.Cause)
						check(t, err)
						if k.Pull == nil || p.Pull == nil || *k.Pull != *p.Pull || p.Pull.Number != 1 || p.Pull.From != events.PullOwn {
							t.Errorf("%+v of %+v", p.Pull, k.Pull)
						}
						due = append(due, strings.TrimPrefix(p.Name, "acme/")+" "+p.Commit)
					}
				}
				if got := strings.Join(due, ", "); got != row.due {
					t.Errorf("due are %q, want %q", got, row.due)
				}
			})
		})
	}
}

// Builds of pull requests are wanted with all that is known of them, and those that wait
// are found when they are closed.
func TestBuildsOfPullRequests(t *testing.T) {
	opened := pull(app, 1, events.PullFork, "refs/heads/main", "", "p1")
	evaluated := events.PushEvaluated{Namespace: id(acme), Repository: id(repoA), Source: id(app), Ref: opened.Ref, Commit: "p1", PullRequest: &opened.PullRequest,
		RulesEvent: "r", File: &events.RulesFile{Rules: []events.BuildRule{tested("all")}}, Verdicts: []events.RuleVerdict{{Rule: "edge", Outcome: events.OutcomeTest, Untrusted: true}}}
	queued := events.BuildQueued{Namespace: id(acme), Repository: id(repoA), Build: id(50), Source: id(app), Ref: opened.Ref, Kind: events.RefBranch, Commit: "p1", Rule: tested("all"),
		Test: true, Untrusted: true, PullRequest: &opened.PullRequest}
	closed := pull(app, 1, events.PullFork, "refs/heads/main", "p1", "")
	onEach(t, []events.Payload{linked(app, "acme/app", "https://x/app"), opened, evaluated}, func(t *testing.T, r builds.Reader) {
		list, err := r.WantedBuilds(t.Context(), 9, 9)
		if err != nil || len(list) != 1 || list[0].Kind != events.RefBranch || !list[0].Test || !list[0].Untrusted || *list[0].Pull != opened.PullRequest {
			t.Errorf("%+v, %v", list, err)
		}
		pushes, err := r.Pushes(t.Context(), id(repoA), 0, 9)
		if err != nil || len(pushes) != 1 || *pushes[0].Pull != opened.PullRequest {
			t.Errorf("%+v, %v", pushes, err)
		}
	})
	for what, row := range map[string]struct {
		list []events.Payload
		want int
	}{
		"open":    {[]events.Payload{opened, queued}, 0},
		"closed":  {[]events.Payload{opened, queued, closed}, 1},
		"running": {[]events.Payload{opened, queued, events.BuildClaimed{Namespace: id(acme), Build: id(50), Builder: "one", Epoch: 1}, closed}, 0},
		"a branch": {[]events.Payload{events.BuildQueued{Namespace: id(acme), Repository: id(repoA), Build: id(50), Source: id(app), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "p1", Rule: edge},
			moved(app, "refs/heads/main", "p1", "")}, 0},
	} {
		t.Run(what, func(t *testing.T) {
			onSQLite(t, row.list, func(t *testing.T, r builds.Reader) {
				list, err := r.WaitingOfClosed(t.Context())
				if err != nil || len(list) != row.want || row.want > 0 && *list[0].Pull != opened.PullRequest {
					t.Errorf("%+v, %v", list, err)
				}
			})
		})
	}
}

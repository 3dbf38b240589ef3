package deploys_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/deploys"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

// deployed is the second story: a deployment that goes through, and one that somebody cancels.
func deployed() []events.Payload {
	of := func(n int) events.DeploymentOf {
		return events.DeploymentOf{Namespace: id(acme), Application: id(shop), Name: "acme/shop", Environment: id(production), Called: "production", Deployment: id(n)}
	}
	hosts := events.Placement{Web: []events.PlacedHost{{Machine: id(30), Name: "web1"}}, Worker: []events.PlacedHost{{Machine: id(31), Name: "worker1"}}}
	return []events.Payload{
		events.PlacementSet{Namespace: id(acme), Application: id(shop), Name: "acme/shop", Environment: id(production), Called: "production", Placement: hosts},
		events.DeployPolicySet{Namespace: id(acme), Application: id(shop), Name: "acme/shop", Environment: id(production), Called: "production", Policy: events.DeployPolicy{Two: true}},
		events.DeploymentRequested{DeploymentOf: of(40), Kind: events.DeployForward, Release: 1, Colour: "blue", Placement: hosts}, events.DeploymentAdmitted{DeploymentOf: of(40)},
		events.DeploymentPulled{DeploymentOf: of(40)}, events.DeploymentHealthy{DeploymentOf: of(40), Colour: "blue"}, events.DeploymentPromoted{DeploymentOf: of(40)},
		events.DeploymentRequested{DeploymentOf: of(41), Kind: events.DeployForward, Release: 2, Colour: "green", Placement: hosts}, events.DeploymentCancelled{DeploymentOf: of(41), Reason: "no"}}
}

func TestDeployments(t *testing.T) {
	list := append(story(), deployed()...)
	log, first := history(list...), uint64(len(story()))
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		store, err := storage.Open(t.Context(), &deploys.Projection, projections.Options{})
		check(t, err)
		defer store.Close()
		check(t, projections.CatchUp(t.Context(), store, log, uint64(len(list)), nil))
		ctx, r := t.Context(), deploys.Reader{DB: store.DB()}
		placement, err := r.Placement(ctx, id(production))
		check(t, err)
		policy, err := r.Policy(ctx, id(production))
		check(t, err)
		if placement.Value.Worker[0].Name != "worker1" || placement.Actor != "tester" || !policy.Value.Two || policy.Seq != first+2 {
			t.Errorf("%+v, %+v", placement, policy)
		}
		if none, err := r.Policy(ctx, id(staging)); err != nil || none.Seq != 0 {
			t.Errorf("%+v, %v", none, err)
		}
		names := func(list []deploys.Happening, err error) (text string) {
			check(t, err)
			for _, h := range list {
				text += fmt.Sprint(h.Seq-first, " ", h.Payload.EventType(), "|")
			}
			return text
		}
		const second = "8 deployment.requested.v1|9 deployment.cancelled.v1|"
		if got := names(r.Since(ctx, id(production))); got != second {
			t.Error(got)
		}
		if got := names(r.AsOf(ctx, id(production), noon.Add(time.Duration(first+4)*time.Minute+time.Second), 0)); got != "3 deployment.requested.v1|4 deployment.admitted.v1|" {
			t.Error(got)
		}
		if got := names(r.AsOf(ctx, id(production), time.Time{}, first+4)); got != "3 deployment.requested.v1|4 deployment.admitted.v1|" {
			t.Error(got)
		}
		if got := names(r.Deployment(ctx, id(41))); got != second {
			t.Error(got)
		}
		if got, err := r.Deployments(ctx, id(shop), "", 0, 9); err != nil || fmt.Sprint(got) != fmt.Sprint([]string{id(41), id(40)}) {
			t.Error(got, err)
		}
		if got, err := r.Deployments(ctx, id(shop), id(production), first+8, 9); err != nil || fmt.Sprint(got) != fmt.Sprint([]string{id(40)}) {
			t.Error(got, err)
		}
		if got, err := r.SinceOf(ctx, []string{id(production), id(staging), "no id"}); err != nil || names(got[id(production)], nil) != second || len(got) != 2 {
			t.Error(got, err)
		}
		if got, err := r.StepsOf(ctx, []string{id(40), id(41)}); err != nil || len(got[id(40)]) != 5 || names(got[id(41)], nil) != second {
			t.Error(got, err)
		}
		if got, err := r.EnvironmentsNow(ctx, []string{id(shop), id(99)}); err != nil || len(got) != 1 || got[0].Name != "production" || got[0].Seq != first+9 {
			t.Error(got, err)
		}
		if got, err := r.ReleasesOf(ctx, []deploys.ReleaseID{{id(shop), 1}, {id(shop), 99}, {id(99), 1}}); err != nil || len(got) != 1 || got[deploys.ReleaseID{Application: id(shop), Number: 1}].Number != 1 {
			t.Error(got, err)
		}
		if got, err := r.ApplicationsIn(ctx, []string{id(acme)}, "", 9); err != nil || len(got) != 1 || got[0].Name != "acme/shop" {
			t.Error(got, err)
		}
		if none, err := r.ApplicationsIn(ctx, nil, "", 9); err != nil || none != nil {
			t.Error(none, err)
		}
		if all, err := r.AllApplications(ctx, "acme/a", 9); err != nil || len(all) != 1 {
			t.Error(all, err)
		}
		if got, err := r.EnvironmentsOn(ctx, id(31)); err != nil || fmt.Sprint(got) != fmt.Sprint([]string{id(production)}) {
			t.Error(got, err)
		}
		if got, err := r.HostsOf(ctx, id(production)); err != nil || fmt.Sprint(got) != fmt.Sprint([]string{id(30), id(31)}) {
			t.Error(got, err)
		}
		if got, err := r.Latest(ctx); err != nil || got[id(production)] != first+9 || got[id(staging)] != 11 {
			t.Error(got, err)
		}
		if got, err := r.LatestOn(ctx, id(31)); err != nil || len(got) != 1 || got[id(production)] != first+9 {
			t.Error(got, err)
		}
		for release, want := range map[int]bool{1: true, 2: false, 3: false} { // 2 was cancelled, 3 never asked for
			if got, err := r.Promoted(ctx, id(production), release); err != nil || got != want {
				t.Errorf("release %d: %t, %v", release, got, err)
			}
		}
		lives, err := r.Place(ctx, id(production))
		check(t, err)
		gone, err := r.Place(ctx, id(staging))
		check(t, err)
		if lives.Name != "acme/shop" || lives.Called != "production" || lives.Ended != 0 || lives.Namespace != id(acme) || gone.Ended != 11 {
			t.Errorf("%+v, %+v", lives, gone)
		}
		if _, err := r.Deployment(ctx, id(99)); !errors.Is(err, deploys.ErrNotFound) {
			t.Error(err)
		}
	})
}

// No query reads a whole table.
func TestQueriesUseKeys(t *testing.T) {
	store, err := sqlitestore.Dir(t.TempDir()).Open(t.Context(), &deploys.Projection, projections.Options{})
	check(t, err)
	defer store.Close()
	list := append(story(), deployed()...)
	check(t, projections.CatchUp(t.Context(), store, history(list...), uint64(len(list)), nil))
	ctx, x := t.Context(), id(production)
	for name, ask := range map[string]func(deploys.Reader) error{
		"Application":     func(r deploys.Reader) error { return second(r.Application(ctx, "acme/shop")) },
		"Applications":    func(r deploys.Reader) error { return second(r.Applications(ctx, x, "", 9)) },
		"Compose":         func(r deploys.Reader) error { return second(r.Compose(ctx, x, "d")) },
		"Environments":    func(r deploys.Reader) error { return second(r.Environments(ctx, x)) },
		"Configuration":   func(r deploys.Reader) error { return second(r.Configuration(ctx, x, 1)) },
		"Release":         func(r deploys.Reader) error { return second(r.Release(ctx, x, 1)) },
		"Releases":        func(r deploys.Reader) error { return second(r.Releases(ctx, x, 0, 9)) },
		"Since":           func(r deploys.Reader) error { return second(r.Since(ctx, x)) },
		"AsOf":            func(r deploys.Reader) error { return second(r.AsOf(ctx, x, noon, 0)) },
		"Deployment":      func(r deploys.Reader) error { return second(r.Deployment(ctx, x)) },
		"Deployments":     func(r deploys.Reader) error { return second(r.Deployments(ctx, x, "", 0, 9)) },
		"of environment":  func(r deploys.Reader) error { return second(r.Deployments(ctx, x, x, 0, 9)) },
		"EnvironmentsOn":  func(r deploys.Reader) error { return second(r.EnvironmentsOn(ctx, x)) },
		"HostsOf":         func(r deploys.Reader) error { return second(r.HostsOf(ctx, x)) },
		"LatestOn":        func(r deploys.Reader) error { return second(r.LatestOn(ctx, x)) },
		"Promoted":        func(r deploys.Reader) error { return second(r.Promoted(ctx, x, 1)) },
		"Placement":       func(r deploys.Reader) error { return second(r.Placement(ctx, x)) },
		"Policy":          func(r deploys.Reader) error { return second(r.Policy(ctx, x)) },
		"AllApplications": func(r deploys.Reader) error { return second(r.AllApplications(ctx, "", 9)) },
		"ApplicationsIn":  func(r deploys.Reader) error { return second(r.ApplicationsIn(ctx, []string{x, id(acme)}, "", 9)) },
		"EnvironmentsThen": func(r deploys.Reader) error {
			return second(r.EnvironmentsThen(ctx, nil, "", "", noon, 0, 9))
		},
		"EnvironmentsThen of some": func(r deploys.Reader) error {
			return second(r.EnvironmentsThen(ctx, []string{x, id(acme)}, "web1", x, time.Time{}, 9, 9))
		},
		"EnvironmentsNow": func(r deploys.Reader) error { return second(r.EnvironmentsNow(ctx, []string{x, id(shop)})) },
		"SinceOf":         func(r deploys.Reader) error { return second(r.SinceOf(ctx, []string{x, id(staging)})) },
		"UsersOf":         func(r deploys.Reader) error { return second(r.UsersOf(ctx, x, []string{x, id(acme)}, 9)) },
		"StepsOf":         func(r deploys.Reader) error { return second(r.StepsOf(ctx, []string{x, id(40)})) },
		"ReleasesOf": func(r deploys.Reader) error {
			return second(r.ReleasesOf(ctx, []deploys.ReleaseID{{id(shop), 1}, {id(shop), 2}}))
		},
		"Place": func(r deploys.Reader) error { return second(r.Place(ctx, x)) },
	} {
		db := &projectiontest.Planned{DB: store.DB()}
		if err := ask(deploys.Reader{DB: db}); err != nil && !errors.Is(err, deploys.ErrNotFound) {
			t.Fatal(err)
		}
		check(t, db.Err)
		if len(db.Plans) == 0 {
			t.Errorf("%s: no query was recorded", name)
		}
		for _, step := range db.Plans {
			if strings.HasPrefix(step, "SCAN") && step != "SCAN CONSTANT ROW" || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: %q", name, db.Plans)
			}
		}
	}
}

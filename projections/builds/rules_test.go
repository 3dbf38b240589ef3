package builds_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
)

// ruleID is a UUIDv7 with that number.
func ruleID(n int) string { return fmt.Sprintf("0191d1a0-0000-7000-8000-%012d", n) }

var rulesBegin = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// rulesHistory makes a log in memory of events, the first at minute 1.
func rulesHistory(t testing.TB, list ...events.Payload) *projectiontest.Log {
	t.Helper()
	log := &projectiontest.Log{}
	for k, p := range list {
		e, err := events.New(p, events.Meta{ID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, k)).String(), Source: "/test", Actor: "tester"})
		if err != nil {
			t.Fatal(err)
		}
		e.Set(events.AttrTime, rulesBegin.Add(time.Duration(k+1)*time.Minute).Format(events.TimeLayout))
		log.Append(e)
	}
	return log
}

func randomRules(rng *rand.Rand) events.Payload {
	namespace, source := ruleID(rng.IntN(2)), ruleID(10+rng.IntN(4))
	name, ref := fmt.Sprint("alice/app", source), fmt.Sprintf("refs/heads/b%d", rng.IntN(8))
	settings := events.SourceSettings{URL: fmt.Sprintf("https://git.example/%d", rng.IntN(9)), Host: events.HostGit, BuildExisting: rng.IntN(2) == 0}
	switch rng.IntN(8) {
	case 0:
		return events.SourceLinked{Namespace: namespace, Source: source, Name: name, Settings: settings}
	case 1:
		return events.SourceChanged{Namespace: namespace, Source: source, Name: name, Settings: settings, Changed: []string{events.ChangedURL}}
	case 2:
		return events.SourceUnlinked{Namespace: namespace, Source: source, Name: name}
	case 3:
		return events.RefsRecorded{Namespace: namespace, Source: source, Refs: rng.IntN(9)}
	case 4, 5:
		return events.RefMoved{Namespace: namespace, Source: source, Ref: ref, Kind: events.RefBranch, New: fmt.Sprint(rng.IntN(9)), Initial: rng.IntN(2) == 0}
	}
	set := events.RulesSet{Namespace: namespace, Repository: ruleID(20 + rng.IntN(4)), Name: "alice/app"}
	for n := range rng.IntN(3) {
		set.Source = source
		set.Rules = append(set.Rules, events.BuildRule{Name: fmt.Sprint("r", n), Branch: "main", Tags: []string{"latest"}, Cache: rng.IntN(2) == 0, Args: map[string]string{"A": "x\x01é"}})
	}
	return set
}

// Row by row, in batches with interruptions and in bulk the log comes to the
// same rows.
func TestRulesConverge(t *testing.T) {
	rng := projectiontest.Seed(t)
	var list []events.Payload
	for range 400 {
		list = append(list, randomRules(rng))
	}
	projectiontest.Converge(t, &builds.Projection, rulesHistory(t, list...), rng, sqlitestore.Dir(t.TempDir()))
}

// Rules are read as they were set, and the latest ones count.
func TestRules(t *testing.T) {
	rules := []events.BuildRule{{Name: "release", Tag: `/^v(.*)$/`, Tags: []string{`{\1}`, "latest"}, Cache: true, Args: map[string]string{"A": "1\n\x02"}, Paths: []string{"!docs"}},
		{Name: "edge", Branch: "main", Tags: []string{"edge"}, Autobuild: true}}
	log := rulesHistory(t,
		events.RulesSet{Namespace: ruleID(1), Repository: ruleID(2), Name: "alice/app", Source: ruleID(4), Rules: rules[:1]},
		events.RulesSet{Namespace: ruleID(1), Repository: ruleID(3), Name: "alice/ended", Source: ruleID(4), Rules: rules},
		events.RulesSet{Namespace: ruleID(1), Repository: ruleID(2), Name: "alice/app", Source: ruleID(5), Rules: rules},
		events.RulesSet{Namespace: ruleID(1), Repository: ruleID(3), Name: "alice/ended"})
	store := projectiontest.Open(t, sqlitestore.Dir(t.TempDir()), &builds.Projection, projections.Options{})
	if err := projections.CatchUp(t.Context(), store, log, 4, projectiontest.Quiet); err != nil {
		t.Fatal(err)
	}
	read := builds.Reader{DB: store.DB()}
	app, err := read.Rules(t.Context(), ruleID(2))
	if err != nil || app.Namespace != ruleID(1) || app.Name != "alice/app" || app.Source != ruleID(5) || !reflect.DeepEqual(app.Rules, rules) ||
		app.Seq != 3 || app.Actor != "tester" || !app.Changed.Equal(rulesBegin.Add(3*time.Minute)) {
		t.Errorf("%+v, %v", app, err)
	}
	ended, err := read.Rules(t.Context(), ruleID(3))
	if err != nil || ended.Source != "" || ended.Rules != nil || ended.Seq != 4 {
		t.Errorf("%+v, %v", ended, err)
	}
	for _, unknown := range []string{ruleID(9), "x"} {
		if _, err := read.Rules(t.Context(), unknown); !errors.Is(err, builds.ErrNotFound) {
			t.Errorf("%s: %v", unknown, err)
		}
	}
}

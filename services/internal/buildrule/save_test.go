package buildrule_test

import (
	"errors"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/streams/streamtest"
)

func TestSave(t *testing.T) {
	log, ctx, by := streamtest.Open(t, ""), t.Context(), command.By{Source: "/test", Actor: "tester"}
	id := repository.ID{Namespace: "0199d6a5-3c00-7000-8000-000000000001", Repository: "0199d6a5-3c00-7000-8000-000000000002"}
	const source, other = "0199d6a5-3c00-7000-8000-000000000301", "0199d6a5-3c00-7000-8000-000000000302"
	last := uint64(0)
	save := func(what string, s buildrule.Saved, seen *uint64, appends bool, want error) {
		t.Helper()
		seq, err := buildrule.Save(ctx, log, by, id, "alice/app", s, seen)
		if !errors.Is(err, want) || want == nil && (err != nil || (seq > last) != appends) {
			t.Fatalf("%s: %d after %d, %v", what, seq, last, err)
		}
		last = max(last, seq)
	}
	at := func(seq uint64) *uint64 { return &seq }
	edge, release := rule("branch", "main", "edge"), rule("tag", "/^v/", "{sourceref}")
	save("none where there are none", buildrule.Saved{}, at(0), false, nil)
	save("seen what is not there", buildrule.Saved{Source: source, Rules: []buildrule.Rule{edge}}, at(7), false, command.ErrChanged)
	save("the first rules", buildrule.Saved{Source: source, Rules: []buildrule.Rule{edge}}, at(0), true, nil)
	first := last
	save("the same rules", buildrule.Saved{Source: source, Rules: []buildrule.Rule{with(edge, func(r *buildrule.Rule) { r.Needs = []string{} })}}, at(first), false, nil)
	save("not seen", buildrule.Saved{Source: source, Rules: []buildrule.Rule{release}}, at(0), false, command.ErrChanged)
	save("other rules", buildrule.Saved{Source: source, Rules: []buildrule.Rule{release}}, at(first), true, nil)
	save("seen too early", buildrule.Saved{Source: source, Rules: []buildrule.Rule{edge}}, at(first), false, command.ErrChanged)
	save("another source", buildrule.Saved{Source: other, Rules: []buildrule.Rule{release}}, nil, true, nil)
	save("rules without a source", buildrule.Saved{Rules: []buildrule.Rule{edge}}, at(last), false, buildrule.ErrRules)
	save("a source without rules", buildrule.Saved{Source: source}, at(last), false, buildrule.ErrRules)
	save("bad rules", buildrule.Saved{Source: source, Rules: []buildrule.Rule{rule("tag", "/v(?=1)/", "x")}}, at(last), false, buildrule.ErrRules)
	save("rules with a warning", buildrule.Saved{Source: source, Rules: []buildrule.Rule{edge, named("again", edge)}}, at(last), true, nil)
	save("no rules", buildrule.Saved{}, at(last), true, nil)
	tested := with(edge, func(r *buildrule.Rule) { r.Autotest = "own" })
	both := func(what string, s buildrule.Saved, sameSource, sameTests bool) {
		t.Helper()
		save(what, s, nil, true, nil)
		p, _, err := command.Latest(ctx, log, events.RulesSubject(id.Namespace, id.Repository))
		if set := p.(events.RulesSet); err != nil || set.SameSource != sameSource || set.SameTests != sameTests {
			t.Errorf("%s: %+v, %v", what, set, err)
		}
	}
	both("tests", buildrule.Saved{Source: source, Rules: []buildrule.Rule{tested}}, false, false)
	both("tests still", buildrule.Saved{Source: source, Rules: []buildrule.Rule{tested, named("again", edge)}}, true, true)
	both("tests by the file", buildrule.Saved{Source: source, FromFile: true}, true, true)
	both("tests of another source", buildrule.Saved{Source: other, Rules: []buildrule.Rule{tested}}, false, false)
	both("no tests", buildrule.Saved{Source: other, Rules: []buildrule.Rule{edge}}, true, false)
	both("tests again", buildrule.Saved{Source: other, Rules: []buildrule.Rule{tested}}, true, false)
	save("no rules at the end", buildrule.Saved{}, at(last), true, nil)
	save("no rules again", buildrule.Saved{}, at(last), false, nil)

	p, seq, err := command.Latest(ctx, log, events.RulesSubject(id.Namespace, id.Repository))
	if set, ok := p.(events.RulesSet); err != nil || !ok || seq != last || set.Source != "" || set.Rules != nil || set.Name != "alice/app" {
		t.Errorf("%+v, %d, %v", p, seq, err)
	}
	_, err = buildrule.Save(ctx, log, by, id, "alice/app", buildrule.Saved{Source: source, Rules: []buildrule.Rule{rule("tag", "/v(?=1)/", "x")}}, nil)
	if !strings.Contains(err.Error(), "lookahead") {
		t.Error(err)
	}
}

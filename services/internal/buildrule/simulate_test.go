package buildrule_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"hubledger/services/internal/buildrule"
)

func TestSimulate(t *testing.T) {
	rules := []buildrule.Rule{
		named("release", rule("tag", `/^v([0-9.]+)$/`, `{\1}`, "latest")),
		named("edge", rule("branch", "main", "edge")),
		with(named("dev", rule("branch", `/^dev/`, "dev")), func(r *buildrule.Rule) { r.Autobuild, r.Autotest = false, "own" }),
	}
	s := buildrule.Simulate(rules, []buildrule.Ref{
		{Kind: "tag", Name: "v1.0"}, {Kind: "tag", Name: "v1.1"}, {Kind: "branch", Name: "main"}, {Kind: "branch", Name: "dev-x"}, {Kind: "tag", Name: "nightly\x1b[2J"},
	})
	for i, want := range []string{
		`tag v1.0 would build 1.0 and latest, because rule release: /^v([0-9.]+)$/ matches "v1.0".`,
		`tag v1.1 would build 1.1 and latest, because rule release: /^v([0-9.]+)$/ matches "v1.1".`,
		`branch main would build edge, because rule edge: the name is "main".`,
		`branch dev-x would be tested, because rule dev: /^dev/ matches "dev", and it is not pushed because autobuild is off.`,
	} {
		if got := s.Refs[i].Sentence; got != want {
			t.Errorf("%d: %s\nwant %s", i, got, want)
		}
	}
	if got := s.Refs[4].Sentence; !strings.Contains(got, "would build nothing: rule release: ") || strings.ContainsRune(got, 0x1b) {
		t.Errorf("%q", got)
	}
	if r := s.Rules[0]; r.Rule != "release" || r.Builds != 2 || r.Skips[buildrule.KindDiffers] != 2 || r.Skips[buildrule.RefInvalid] != 1 {
		t.Errorf("%+v", r)
	}
	if r := s.Rules[2]; r.Tests != 1 || r.Builds != 0 {
		t.Errorf("%+v", r)
	}
	if len(s.Contested) != 1 || s.Contested[0].Tag != "latest" || strings.Join(s.Contested[0].Refs, ", ") != "tag v1.0, tag v1.1" {
		t.Errorf("%+v", s.Contested)
	}
}

func TestParseRef(t *testing.T) {
	for full, want := range map[string]buildrule.Ref{
		"refs/heads/main":          {Kind: "branch", Name: "main"},
		"refs/tags/v1/a":           {Kind: "tag", Name: "v1/a"},
		"refs/tags/refs/heads/x":   {Kind: "tag", Name: "refs/heads/x"},
		"refs/pull/1/head":         {},
		"main":                     {},
		"refs/heads":               {},
		"refs/remotes/origin/main": {},
	} {
		if got, err := buildrule.ParseRef(full); !reflect.DeepEqual(got, want) || (err != nil) != (want.Kind == "") {
			t.Errorf("%s: %+v, %v", full, got, err)
		}
	}
}

func TestSimulateIsBounded(t *testing.T) {
	refs := make([]buildrule.Ref, buildrule.MaxSimulated+7)
	for i := range refs {
		refs[i] = buildrule.Ref{Kind: "tag", Name: "v" + strings.Repeat("1", i%90+1)}
	}
	s := buildrule.Simulate([]buildrule.Rule{rule("tag", "/^v/", "{sourceref}", "latest")}, refs)
	if len(s.Refs) != buildrule.MaxSimulated || s.LeftOut != 7 {
		t.Errorf("%d refs, %d left out", len(s.Refs), s.LeftOut)
	}
	for _, c := range s.Contested {
		if c.Tag == "latest" && (len(c.Refs) != 10 || c.More != buildrule.MaxSimulated-10) {
			t.Errorf("%d refs and %d more", len(c.Refs), c.More)
		}
	}
	var many []buildrule.Rule
	for i := range buildrule.MaxRules {
		many = append(many, named(fmt.Sprintf("r%d", i), rule("tag", "/^v/", fmt.Sprintf("t%d", i))))
	}
	if s := buildrule.Simulate(many, refs); len(s.Refs) != 100 || s.LeftOut != len(refs)-100 {
		t.Errorf("%d refs, %d left out with many rules", len(s.Refs), s.LeftOut)
	}
	for i := range refs {
		refs[i].Name = strings.Repeat("a", buildrule.MaxRefName)
	}
	if s := buildrule.Simulate([]buildrule.Rule{rule("tag", "/(?:a?){600}b/", "x")}, refs); len(s.Refs) == 0 || len(s.Refs) > 250 || s.LeftOut+len(s.Refs) != len(refs) {
		t.Errorf("%d refs, %d left out with a long pattern", len(s.Refs), s.LeftOut)
	}
	if none := buildrule.Simulate(nil, []buildrule.Ref{{Kind: "tag", Name: "v1"}}); none.Refs[0].Sentence != "tag v1 would build nothing: there are no rules." {
		t.Error(none.Refs[0].Sentence)
	}
}

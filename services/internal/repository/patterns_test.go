package repository_test

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/repository"
)

// Patterns whose programs are large are refused before they are compiled, and
// honest ones are not.
func TestPatternsAreBounded(t *testing.T) {
	for _, row := range []struct {
		patterns []string
		taken    bool
	}{
		{slices.Repeat([]string{`v[0-9]+\.[0-9]+\.[0-9]+(-rc\.[0-9]+)?`}, 50), true},
		{[]string{`[a-f0-9]{40}`, `\pL{1,64}`, `(?i)release-\d{4}-\d{2}-\d{2}`}, true},
		{[]string{strings.Repeat(`(?:.?){1000}`, 16) + "!"}, false},
		{[]string{`(?:.?){1000}`, `(?:.?){1000}`}, false},
		{[]string{`((a{10}){10}){10}`, `((a{10}){10}){10}`}, false},
		{[]string{`((a{0,30}){30}){1,}`, `((b{30,}){30}){2,}`}, false},
		{slices.Repeat([]string{`x{50}`}, 50), false},
	} {
		for what, policy := range map[string]events.RepositoryPolicy{
			"immutable": {ImmutableTags: row.patterns}, "kept": {Cleanup: &events.Cleanup{KeepTags: row.patterns}},
		} {
			if err := repository.CheckPolicy(policy); (err == nil) != row.taken || err != nil && !errors.Is(err, repository.ErrSettings) {
				t.Errorf("%s %.60q: %v", what, row.patterns, err)
			}
		}
	}
}

// What is taken is compiled to no more than a few times the bound.
func FuzzPatternSize(f *testing.F) {
	for _, p := range []string{"v.*", "a{3}|b", "((a{10}){10}){9}", `\pL{3,9}`, "(?i)straße{2}", "(?:x*){5,}", "[^a]{2}?", "(|a)+"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		if repository.CheckPolicy(events.RepositoryPolicy{ImmutableTags: []string{pattern}}) != nil {
			return
		}
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		prog, err := syntax.Compile(tree.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if len(prog.Inst) > 3*2000 {
			t.Errorf("%q has %d instructions", pattern, len(prog.Inst))
		}
	})
}

// Patterns that were taken before there was a bound protect every tag but those
// of signatures: nothing is moved or deleted that they might have protected.
func TestPatternsFromBeforeTheBound(t *testing.T) {
	large := []string{strings.Repeat(`(?:.?){1000}`, 16) + "!"}
	if !repository.TagsMatching(large).Has("latest") {
		t.Error("patterns that are too large match nothing")
	}
	immutable := repository.Immutable(events.RepositoryPolicy{ImmutableTags: large})
	if !immutable.Has("latest") || immutable.Has("sha256-"+strings.Repeat("0", 64)+".sig") {
		t.Error("not every tag but those of signatures is immutable")
	}
	if (repository.ImmutableTags{}).Has("latest") {
		t.Error("without a policy a tag is immutable")
	}
}

// Sets are found by all of their patterns, whatever else was asked for meanwhile.
func TestManyPolicies(t *testing.T) {
	for range 2 {
		for k := range 3000 {
			set := repository.TagsMatching([]string{fmt.Sprintf("a%d[0-9]{40}", k), fmt.Sprintf("b%d", k)})
			if !set.Has(fmt.Sprintf("b%d", k)) || set.Has(fmt.Sprintf("b%d", k+1)) {
				t.Fatalf("set %d is another one", k)
			}
		}
	}
}

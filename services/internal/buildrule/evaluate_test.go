package buildrule_test

import (
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/repository"
)

// rule is a sound rule for tests to change.
func rule(kind, source string, tags ...string) buildrule.Rule {
	r := events.DefaultBuildRule()
	r.Name, r.Tags = "r", tags
	if kind == buildrule.Branch {
		r.Branch = source
	} else {
		r.Tag = source
	}
	return r
}

func with(r buildrule.Rule, change func(*buildrule.Rule)) buildrule.Rule {
	change(&r)
	return r
}

func TestEvaluate(t *testing.T) {
	branch := func(name string) buildrule.Ref { return buildrule.Ref{Kind: buildrule.Branch, Name: name} }
	tag := func(name string) buildrule.Ref { return buildrule.Ref{Kind: buildrule.Tag, Name: name} }
	request := func(from string) buildrule.Ref {
		return buildrule.Ref{Kind: buildrule.Branch, Name: "main", PullRequest: from}
	}
	changed := func(files ...string) buildrule.Ref {
		return buildrule.Ref{Kind: buildrule.Branch, Name: "main", Changed: files, ChangesKnown: true}
	}
	main := rule("branch", "main", "latest")
	tests := func(mode string, autobuild bool) buildrule.Rule {
		return with(main, func(r *buildrule.Rule) { r.Autotest, r.Autobuild = mode, autobuild })
	}
	paths := with(main, func(r *buildrule.Rule) { r.Paths = []string{"src/**", "!src/docs"} })
	long := strings.Repeat("x", 129)
	for what, row := range map[string]struct {
		rule    buildrule.Rule
		ref     buildrule.Ref
		outcome string
		reason  string
		tags    string
	}{
		"exact name":                   {main, branch("main"), "build", "matched", "latest"},
		"exact is the whole name":      {main, branch("main2"), "skip", "name_differs", ""},
		"a tag of the same name":       {main, tag("main"), "skip", "kind_differs", ""},
		"unknown kind":                 {main, buildrule.Ref{Kind: "note", Name: "main"}, "skip", "kind_differs", ""},
		"sourceref is the whole name":  {rule("tag", `/^[0-9.]+/`, "{sourceref}"), tag("1.2.0-rc"), "build", "matched", "1.2.0-rc"},
		"search is unanchored":         {rule("tag", `/[0-9]+/`, "{sourceref}"), tag("release-7"), "build", "matched", "release-7"},
		"groups":                       {rule("tag", `/^v(\d+)\.(\d+)$/`, `{\1}`, `{\1}.{\2}`, "latest"), tag("v1.2"), "build", "matched", "1 1.2 latest"},
		"nine groups":                  {rule("tag", `/(a)(b)(c)(d)(e)(f)(g)(h)(i)/`, `{\9}{\1}`), tag("abcdefghi"), "build", "matched", "ia"},
		"group that took no part":      {rule("tag", `/^v(\d+)(\.\d+)?$/`, `{\1}{\2}`), tag("v1"), "build", "matched", "1"},
		"the same tag twice is one":    {rule("tag", `/^(v1)$/`, `{\1}`, "{sourceref}"), tag("v1"), "build", "matched", "v1"},
		"empty tag":                    {rule("tag", `/^v(\d*)$/`, `{\1}`), tag("v"), "skip", "tag_empty", ""},
		"one of two is no tag":         {rule("branch", `/^feature\/(.+)$/`, "{sourceref}", `{\1}`), branch("feature/x"), "build", "matched", "x"},
		"slash in a ref":               {rule("branch", `/.*/`, "{sourceref}"), branch("feature/x"), "skip", "tag_invalid", ""},
		"slug of a slash":              {rule("branch", `/.*/`, "{slug}"), branch("feature/a/b"), "build", "matched", "feature-a-b"},
		"slug of an emoji":             {rule("tag", `/.*/`, "x-{slug}-y"), tag("v🚀🚀1+b"), "build", "matched", "x-v-1-b-y"},
		"slug of nothing":              {rule("tag", `/.*/`, "{slug}"), tag("🚀"), "skip", "tag_empty", ""},
		"slug of a name":               {rule("branch", "a/b+", "{slug}"), branch("a/b+"), "build", "matched", "a-b"},
		"tag that begins with a dash":  {rule("tag", `/^v(.*)$/`, `{\1}`), tag("v-1"), "skip", "tag_invalid", ""},
		"reserved tag":                 {rule("tag", `/.*/`, "{sourceref}"), tag("v.asof.1"), "skip", "tag_invalid", ""},
		"emoji is no tag":              {rule("tag", `/.*/`, "{sourceref}"), tag("🚀"), "skip", "tag_invalid", ""},
		"emoji matches":                {rule("tag", `/🚀/`, "rocket"), tag("go-🚀"), "build", "matched", "rocket"},
		"128 characters":               {rule("tag", `/.*/`, "{sourceref}"), tag(long[:128]), "build", "matched", long[:128]},
		"129 characters":               {rule("tag", `/.*/`, "{sourceref}"), tag(long), "skip", "tag_too_long", ""},
		"missing group":                {rule("tag", `/^v/`, `{\1}`), tag("v1"), "skip", "rule_invalid", ""},
		"group of an exact name":       {rule("tag", `v1`, `{\1}`), tag("v1"), "skip", "rule_invalid", ""},
		"empty template":               {rule("tag", `v1`, ""), tag("v1"), "skip", "rule_invalid", ""},
		"lookahead":                    {rule("tag", `/v(?=1)/`, "x"), tag("v1"), "skip", "rule_invalid", ""},
		"space":                        {rule("tag", `/.*/`, "x"), tag("v 1"), "skip", "ref_invalid", ""},
		"dots":                         {rule("tag", `/.*/`, "x"), tag("a/../b"), "skip", "ref_invalid", ""},
		"NUL":                          {rule("tag", `/.*/`, "x"), tag("v1\x00"), "skip", "ref_invalid", ""},
		"newline":                      {rule("tag", `/^v1$/`, "x"), tag("v1\n"), "skip", "ref_invalid", ""},
		"no UTF-8":                     {rule("tag", `/.*/`, "x"), tag("v\xff"), "skip", "ref_invalid", ""},
		"no name":                      {rule("tag", `/.*/`, "x"), tag(""), "skip", "ref_invalid", ""},
		"lock":                         {rule("tag", `/.*/`, "x"), tag("a.lock/b"), "skip", "ref_invalid", ""},
		"very long":                    {rule("tag", `/.*/`, "x"), tag(strings.Repeat("x", 1025)), "skip", "ref_invalid", ""},
		"autobuild off":                {tests("off", false), branch("main"), "skip", "autobuild_off", ""},
		"autobuild off is tested":      {tests("own", false), branch("main"), "test", "autobuild_off", ""},
		"pull request, no tests":       {tests("", true), request("own"), "skip", "pull_request", ""},
		"pull request is tested only":  {tests("own", true), request("own"), "test", "pull_request", ""},
		"fork, own only":               {tests("own", true), request("fork"), "skip", "pull_request", ""},
		"fork, all":                    {tests("all", true), request("fork"), "test", "pull_request", ""},
		"pull request to who knows":    {tests("all", true), buildrule.Ref{Kind: buildrule.Branch, PullRequest: "own"}, "skip", "pull_request", ""},
		"pull request to another":      {tests("all", true), buildrule.Ref{Kind: buildrule.Branch, Name: "old", PullRequest: "own"}, "skip", "name_differs", ""},
		"pull request of a tag's rule": {with(rule("tag", "main", "x"), func(r *buildrule.Rule) { r.Autotest = "all" }), request("own"), "skip", "kind_differs", ""},
		"pull request, autobuild off":  {tests("own", false), request("own"), "test", "pull_request", ""},
		"pull request from who knows":  {tests("all", true), request("mars"), "skip", "pull_request", ""},
		"changed file passes":          {paths, changed("README.md", "src/a/b.go"), "build", "matched", "latest"},
		"changed file is taken out":    {paths, changed("src/docs/a.md"), "skip", "paths_differ", ""},
		"nothing changed":              {paths, changed(), "skip", "paths_differ", ""},
		"not known what changed":       {paths, branch("main"), "build", "matched", "latest"},
		"too many changes to look at":  {paths, changed(slices.Repeat([]string{"x"}, buildrule.MaxChanged+1)...), "build", "matched", "latest"},
		"a changed path is too long":   {paths, changed(strings.Repeat("x", 5000)), "build", "matched", "latest"},
		"path filter, pull request":    {with(paths, func(r *buildrule.Rule) { r.Autotest = "own" }), func() buildrule.Ref { r := changed("x"); r.PullRequest = "own"; return r }(), "skip", "paths_differ", ""},
		"case differs":                 {rule("branch", "Main", "x"), branch("main"), "skip", "name_differs", ""},
		"flag for either case":         {rule("branch", "/(?i)^MAIN$/", "x"), branch("main"), "build", "matched", "x"},
		"pattern and escaped slash":    {rule("branch", `/^release\/(\d+)$/`, `r{\1}`), branch("release/7"), "build", "matched", "r7"},
		"pattern and plain slash":      {rule("branch", `/^release/(\d+)$/`, `r{\1}`), branch("release/7"), "build", "matched", "r7"},
		"template has text around":     {rule("branch", `/^.*$/`, `b-{sourceref}-x`), branch("dev"), "build", "matched", "b-dev-x"},
		"names are not taken for tags": {rule("tag", `/^(.)$/`, `{\1}{\1}`), tag("é"), "skip", "tag_invalid", ""},
	} {
		v := buildrule.Evaluate([]buildrule.Rule{row.rule}, row.ref)
		if len(v) != 1 {
			t.Fatalf("%s: %d verdicts", what, len(v))
		}
		if got := v[0]; got.Outcome != row.outcome || got.Reason != row.reason || strings.Join(got.Tags, " ") != row.tags || got.Detail == "" || got.Rule != "r" {
			t.Errorf("%s: %+v", what, got)
		}
		if v[0].Untrusted != (row.ref.PullRequest == "fork" && row.outcome == buildrule.Test) {
			t.Errorf("%s: untrusted is %v", what, v[0].Untrusted)
		}
	}
}

// A skipped tag says what is wrong with it, also beside tags that are given.
func TestRefusedTags(t *testing.T) {
	v := buildrule.Evaluate([]buildrule.Rule{rule("branch", `/^feature\/(.+)$/`, "{sourceref}", `{\1}`)}, buildrule.Ref{Kind: "branch", Name: "feature/x"})[0]
	if len(v.Refused) != 1 || v.Refused[0].Template != "{sourceref}" || v.Refused[0].Reason != buildrule.TagInvalid || !strings.Contains(v.Refused[0].Detail, "'/'") {
		t.Errorf("%+v", v.Refused)
	}
}

// Every rule has a verdict, in their order; broken ones do not keep others from it.
func TestEveryRuleHasAVerdict(t *testing.T) {
	rules := []buildrule.Rule{rule("tag", "/(/", "x"), {}, rule("tag", "v1", "v1"), rule("branch", "v1", "x")}
	var reasons []string
	for _, v := range buildrule.Evaluate(rules, buildrule.Ref{Kind: "tag", Name: "v1"}) {
		reasons = append(reasons, string(v.Reason))
	}
	if want := []string{"rule_invalid", "rule_invalid", "matched", "kind_differs"}; !slices.Equal(reasons, want) {
		t.Errorf("%v, want %v", reasons, want)
	}
}

func FuzzEvaluate(f *testing.F) {
	for _, seed := range [][4]string{
		{`/^v(\d+)(-.*)?$/`, `{\1}{\2}`, "v1-rc", "src/**"}, {"main", "{sourceref}", "main", "!a"}, {`/(?=x)/`, "{", "x", "["},
		{`/[/`, `{\9}`, "a/../b\x00", "**/**/x"}, {"/" + strings.Repeat("(a*)", 40) + "/", strings.Repeat(`{\1}`, 60), strings.Repeat("a", 900), "a"},
		{`/\QA/`, "-x", "🚀", ""}, {`/(?<=a)b/`, "a,b", " ", "../x"}, {`/a**/`, "latest", "\xff", "/"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, source, template, name, glob string) {
		for _, kind := range []string{"branch", "tag"} {
			r := with(rule(kind, source, template, "x-{sourceref}"), func(r *buildrule.Rule) { r.Paths = []string{glob} })
			problems := buildrule.Validate([]buildrule.Rule{r, r})
			for _, p := range problems {
				if p.What == "" || p.Error() == "" || p.Offset < 0 || p.Offset > max(len(source), len(template)) {
					t.Fatalf("%+v", p)
				}
			}
			sound := len(buildrule.Validate([]buildrule.Rule{r}).Errors()) == 0
			for _, ref := range []buildrule.Ref{{Kind: kind, Name: name}, {Kind: kind, Name: name, Changed: []string{glob, name}, ChangesKnown: true}, {Kind: kind, Name: name, PullRequest: "fork"}} {
				for _, v := range buildrule.Evaluate([]buildrule.Rule{r}, ref) {
					if v.Detail == "" || (v.Outcome == buildrule.Build) != (len(v.Tags) > 0) || sound == (v.Reason == buildrule.RuleInvalid) {
						t.Fatalf("%+v, sound %v", v, sound)
					}
					if len(v.Detail) > 4000 {
						t.Fatalf("a detail of %d bytes", len(v.Detail))
					}
					for _, tag := range v.Tags {
						if !repository.ValidTag(tag) || repository.CheckTag(tag) != nil {
							t.Fatalf("%q is no tag", tag)
						}
					}
				}
			}
		}
	})
}

// A verdict on a pull request says how it is known where that goes to.
func TestPullRequestTarget(t *testing.T) {
	main := with(rule("branch", "main", "latest"), func(r *buildrule.Rule) { r.Autotest = "own" })
	pattern := with(rule("branch", "/^release/", "latest"), func(r *buildrule.Rule) { r.Autotest = "own" })
	pull := func(target string, assumed bool) buildrule.Ref {
		return buildrule.PullRef(&events.PullRequest{Number: 7, From: events.PullOwn, Target: target, Assumed: assumed}, "c")
	}
	for what, row := range map[string]struct {
		rule buildrule.Rule
		ref  buildrule.Ref
		want string
	}{
		"told":             {main, pull("refs/heads/main", false), `the name is "main" (where the pull request goes to), and a pull request is only tested, never pushed`},
		"assumed":          {main, pull("refs/heads/main", true), `the name is "main" (the default branch: the git host has not told where the pull request goes to), and a pull request is only tested, never pushed`},
		"assumed, another": {main, pull("refs/heads/old", true), `the rule is for "main", and this is "old" (the default branch: the git host has not told where the pull request goes to)`},
		"pattern":          {pattern, pull("refs/heads/main", false), `"main" (where the pull request goes to) has nothing that /^release/ matches`},
		"not known":        {main, pull("", false), "it is not known to which branch the pull request goes: the git host has told neither that nor which branch is the default one"},
	} {
		if v := buildrule.Evaluate([]buildrule.Rule{row.rule}, row.ref)[0]; v.Detail != row.want {
			t.Errorf("%s: %s", what, v.Detail)
		}
	}
}

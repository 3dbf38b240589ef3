package buildrule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hubledger/services/internal/buildrule"
)

// What RE2 cannot do is refused with its place and a reason.
func TestRefusedPatterns(t *testing.T) {
	for source, want := range map[string]struct {
		offset, column int
		why            string
	}{
		`/^v(?=1)/`:                          {3, 4, "lookahead"},
		`/^v(?!1)/`:                          {3, 4, "lookahead"},
		`/é(?<=é)x/`:                         {3, 3, "lookbehind"},
		`/a(?<!b>c)/`:                        {2, 3, "lookbehind"},
		`/(a)\1/`:                            {4, 5, "backreferences"},
		`/(?P<x>a)(?P=x)/`:                   {9, 10, "backreferences"},
		`/(?<x>a)\k<x>/`:                     {8, 9, "backreferences"},
		`/a++/`:                              {2, 3, "possessive"},
		`/ab*c*+/`:                           {5, 6, "possessive"},
		`/a{2}+/`:                            {2, 3, "possessive"},
		`/a**/`:                              {2, 3, "repetition"},
		`/(?>a)b/`:                           {1, 2, "atomic"},
		`/a(?#x)/`:                           {2, 3, "comments"},
		`/(a)(?(1)b)/`:                       {4, 5, "conditions"},
		`/a(?R)/`:                            {2, 3, "recursion"},
		`/a\Z/`:                              {2, 3, `\Z`},
		`/a*(*)/`:                            {4, 5, "nothing to repeat"},
		`/a(b/`:                              {2, 3, "never closed"},
		`/[(]a(b/`:                           {5, 6, "never closed"},
		`/\((a/`:                             {3, 4, "never closed"},
		`/a)b/`:                              {2, 3, "closes nothing"},
		`/a[b/`:                              {2, 3, "never closed"},
		`/a{2,1}/`:                           {2, 3, "count"},
		`/[z-a]/`:                            {2, 3, "range"},
		`/a\/`:                               {2, 3, "backslash"},
		`/a\y/`:                              {2, 3, "escape"},
		`/a`:                                 {2, 3, "ends with a slash"},
		`/a/i`:                               {3, 4, "last slash"},
		`//`:                                 {1, 2, "empty"},
		"/a\x1bb/":                           {2, 3, "cannot be seen"},
		"/ab\xff/":                           {3, 4, "UTF-8"},
		`/(?:.?){1000}x(?:.?){1000}/`:        {1, 2, "repeats too much"},
		`/((a{100}){100}){100}/`:             {10, 11, "inside each other"},
		"/" + strings.Repeat("a", 201) + "/": {1, 2, "200 bytes"},
	} {
		problems := buildrule.Validate([]buildrule.Rule{rule("tag", source, "x")})
		if len(problems) != 1 {
			t.Errorf("%.60q: %v", source, problems)
			continue
		}
		p := problems[0]
		if p.Field != "tag" || p.Rule != "r" || p.Offset != want.offset || p.Column != want.column || !strings.Contains(p.Why, want.why) || p.Why == "" || p.Fix == "" {
			t.Errorf("%.60q: offset %d, column %d: %v", source, p.Offset, p.Column, p)
		}
	}
}

// What RE2 can do is not refused because it looks like something else.
func TestTakenPatterns(t *testing.T) {
	for _, source := range []string{`/\(?=/`, `/[(?=]/`, `/\Q(?=\E/`, `/a\++/`, `/[*+]+/`, `/(?i:x)/`, `/(?P<n>x)/`, `/(?<n>x)/`, `/a+?/`, `/\//`, `/a/b/`, `/[[:alpha:])]/`, `/.*/`} {
		if problems := buildrule.Validate([]buildrule.Rule{rule("tag", source, "x")}); len(problems) > 0 {
			t.Errorf("%q: %v", source, problems)
		}
	}
}

func TestValidate(t *testing.T) {
	sound := rule("branch", "main", "latest")
	change := func(f func(*buildrule.Rule)) []buildrule.Rule { return []buildrule.Rule{with(sound, f)} }
	many := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf("s%d", i)
		}
		return out
	}
	for what, row := range map[string]struct {
		rules []buildrule.Rule
		field string // of the only problem, "" for none
		says  string
	}{
		"sound":                 {[]buildrule.Rule{sound}, "", ""},
		"no name":               {change(func(r *buildrule.Rule) { r.Name = "" }), "name", "rule #1"},
		"name with a space":     {change(func(r *buildrule.Rule) { r.Name = "a b" }), "name", "lower-case"},
		"long name":             {change(func(r *buildrule.Rule) { r.Name = strings.Repeat("a", 65) }), "name", "64"},
		"same name":             {[]buildrule.Rule{sound, with(sound, func(r *buildrule.Rule) { r.Tags = []string{"b"} })}, "name", "rule #1 too"},
		"branch and tag":        {change(func(r *buildrule.Rule) { r.Tag = "v1" }), "tag", "tags: [latest]"},
		"no branch and no tag":  {change(func(r *buildrule.Rule) { r.Branch = "" }), "", "write branch: or tag:"},
		"a pattern unslashed":   {change(func(r *buildrule.Rule) { r.Branch = "^v.*" }), "branch", "between slashes"},
		"long name of a branch": {change(func(r *buildrule.Rule) { r.Branch = strings.Repeat("a", 203) }), "branch", "202"},
		"branch on two lines":   {change(func(r *buildrule.Rule) { r.Branch = "a\nb" }), "branch", "control"},
		"no tags":               {change(func(r *buildrule.Rule) { r.Tags = nil }), "tags", "at least one"},
		"empty template":        {change(func(r *buildrule.Rule) { r.Tags = []string{""} }), "tags", "empty"},
		"template twice":        {change(func(r *buildrule.Rule) { r.Tags = []string{"a", "a"} }), "tags", "twice"},
		"comma list":            {change(func(r *buildrule.Rule) { r.Tags = []string{"a,b"} }), "tags", "column 2 (byte 1)"},
		"open brace":            {change(func(r *buildrule.Rule) { r.Tags = []string{"a{b"} }), "tags", "never closed"},
		"unknown brace":         {change(func(r *buildrule.Rule) { r.Tags = []string{"{commit}"} }), "tags", "sourceref"},
		"group 0":               {change(func(r *buildrule.Rule) { r.Tags = []string{`{\0}`} }), "tags", "stands for nothing"},
		"group of a name":       {change(func(r *buildrule.Rule) { r.Tags = []string{`{\1}`} }), "tags", "no group"},
		"missing group":         {change(func(r *buildrule.Rule) { r.Branch, r.Tags = `/^(m)/`, []string{`{\2}`} }), "tags", "1 group"},
		"template of a slash":   {change(func(r *buildrule.Rule) { r.Tags = []string{"a/b"} }), "tags", "cannot be in a tag"},
		"begins with a dot":     {change(func(r *buildrule.Rule) { r.Tags = []string{".a"} }), "tags", "begin"},
		"name with a slash":     {change(func(r *buildrule.Rule) { r.Branch, r.Tags = "a/b", []string{"{sourceref}"} }), "tags", "gives no tag"},
		"reserved tag":          {change(func(r *buildrule.Rule) { r.Tags = []string{"a.asof.b"} }), "tags", "time travel"},
		"long literal":          {change(func(r *buildrule.Rule) { r.Tags = []string{strings.Repeat("a", 129)} }), "tags", "128"},
		"long template":         {change(func(r *buildrule.Rule) { r.Tags = []string{strings.Repeat("a", 257)} }), "tags", "256"},
		"Dockerfile outside":    {change(func(r *buildrule.Rule) { r.Dockerfile = "a/../../b" }), "dockerfile", ".."},
		"outside of both":       {change(func(r *buildrule.Rule) { r.Context, r.Dockerfile = "a", "../../b" }), "dockerfile", ".."},
		"beside the context":    {change(func(r *buildrule.Rule) { r.Context, r.Dockerfile = "a", "../b" }), "", ""},
		"context outside":       {change(func(r *buildrule.Rule) { r.Context = "/.." }), "context", ".."},
		"context with NUL":      {change(func(r *buildrule.Rule) { r.Context = "a\x00" }), "context", "control"},
		"backslash":             {change(func(r *buildrule.Rule) { r.Dockerfile = `a\b` }), "dockerfile", "parted by /"},
		"rebuild":               {change(func(r *buildrule.Rule) { r.Rebuild = "always" }), "rebuild", "off or base"},
		"autotest":              {change(func(r *buildrule.Rule) { r.Autotest = "on" }), "autotest", "off or own or all"},
		"target":                {change(func(r *buildrule.Rule) { r.Target = "a b" }), "target", "AS"},
		"platform":              {change(func(r *buildrule.Rule) { r.Platforms = []string{"arm64"} }), "platforms", "linux/amd64"},
		"arg name":              {change(func(r *buildrule.Rule) { r.Args = map[string]string{"A-B": ""} }), "args", "letters"},
		"two SBOMs":             {change(func(r *buildrule.Rule) { r.SBOM, r.Args = true, map[string]string{"BUILDKIT_ATTEST_sbom": ""} }), "args", "two ways"},
		"arg value":             {change(func(r *buildrule.Rule) { r.Args = map[string]string{"A": strings.Repeat("x", 4097)} }), "args", "4096"},
		"label name":            {change(func(r *buildrule.Rule) { r.Labels = map[string]string{"a b": ""} }), "labels", "letters"},
		"a secret's value":      {change(func(r *buildrule.Rule) { r.Secrets = []string{"TOKEN=x"} }), "secrets", "by its name"},
		"secret twice":          {change(func(r *buildrule.Rule) { r.Secrets = []string{"A", "A"} }), "secrets", "twice"},
		"path filter":           {change(func(r *buildrule.Rule) { r.Paths = []string{"a[b"} }), "paths", "never closed"},
		"path filter outside":   {change(func(r *buildrule.Rule) { r.Paths = []string{"../*"} }), "paths", ".."},
		"too many secrets":      {change(func(r *buildrule.Rule) { r.Secrets = many(51) }), "secrets", "50"},
		"too many tags":         {change(func(r *buildrule.Rule) { r.Tags = many(51) }), "tags", "50"},
		"unknown need":          {change(func(r *buildrule.Rule) { r.Needs = []string{"base"} }), "needs", "write one of r"},
		"needs itself":          {change(func(r *buildrule.Rule) { r.Needs = []string{"r"} }), "needs", "r needs r"},
		"too many rules":        {make([]buildrule.Rule, 51), "", "at most 50"},
	} {
		problems := buildrule.Validate(row.rules)
		if row.says == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", what, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Field != row.field || problems[0].Warning || !strings.Contains(problems[0].Error(), row.says) {
			t.Errorf("%s: %v", what, problems)
		}
	}
}

func named(name string, r buildrule.Rule) buildrule.Rule {
	r.Name = name
	return r
}

func TestNeeds(t *testing.T) {
	need := func(name, tag string, needs ...string) buildrule.Rule {
		return with(named(name, rule("branch", "main", tag)), func(r *buildrule.Rule) { r.Needs = needs })
	}
	chain := []buildrule.Rule{need("a", "a", "b", "c"), need("b", "b", "c"), need("c", "c")}
	if p := buildrule.Validate(chain); len(p) > 0 {
		t.Error(p)
	}
	chain[2].Needs = []string{"a"}
	if p := buildrule.Validate(chain); len(p) != 1 || !strings.Contains(p.Error(), "a needs b needs c needs a") {
		t.Error(p)
	}
	other := named("t", rule("tag", "v1", "t"))
	if p := buildrule.Validate([]buildrule.Rule{need("a", "a", "t"), other}); len(p) != 1 || !p[0].Warning || p[0].Field != "needs" {
		t.Error(p)
	}
}

// The patterns of a set are bounded together.
func TestPatternsAreBoundedTogether(t *testing.T) {
	var rules []buildrule.Rule
	for i := range 40 {
		rules = append(rules, named(fmt.Sprintf("r%d", i), rule("tag", fmt.Sprintf("/x{60}%d/", i), fmt.Sprintf("t%d", i))))
	}
	errs := buildrule.Validate(rules).Errors()
	if len(errs) == 0 || !strings.Contains(errs[0].Error(), "all rules together") || errs[0].Index == 0 {
		t.Fatal(errs)
	}
	v := buildrule.Evaluate(rules, buildrule.Ref{Kind: "tag", Name: "x"})
	if v[0].Reason != buildrule.NameDiffers || v[39].Reason != buildrule.RuleInvalid {
		t.Errorf("%+v, %+v", v[0], v[39])
	}
}

// So are all texts of a set.
func TestTextsAreBoundedTogether(t *testing.T) {
	var rules []buildrule.Rule
	for i := range 17 {
		rules = append(rules, with(named(fmt.Sprintf("r%d", i), rule("tag", "v1", fmt.Sprintf("t%d", i))), func(r *buildrule.Rule) {
			r.Labels = map[string]string{"a": strings.Repeat("x", buildrule.MaxValue)}
		}))
	}
	if p := buildrule.Validate(rules[:15]); len(p) > 0 {
		t.Error(p)
	}
	if p := buildrule.Validate(rules); len(p) != 1 || p[0].Index != -1 || !strings.Contains(p[0].Error(), "at most 65536") {
		t.Error(p)
	}
}

func TestSharedTags(t *testing.T) {
	for what, row := range map[string]struct {
		a, b   buildrule.Rule
		shared bool
	}{
		"the same literal":       {rule("branch", "main", "latest"), rule("branch", "dev", "x", "latest"), true},
		"other literals":         {rule("branch", "main", "latest"), rule("branch", "dev", "edge"), false},
		"exact names":            {rule("branch", "main", "{sourceref}"), rule("tag", "main", "{sourceref}"), true},
		"digits are not a word":  {rule("branch", "main", "latest"), rule("tag", `/^v([0-9.]+)$/`, `{\1}`), false},
		"anything may be a word": {rule("branch", "main", "latest"), rule("tag", `/^v(.+)$/`, `{\1}`), true},
		"digits and letters":     {rule("tag", `/^v([0-9]+)$/`, `{\1}`), rule("tag", `/^([a-z]+)$/`, `{\1}`), false},
		"either case":            {rule("tag", `/^((?i)abc)$/`, `{\1}`), rule("branch", "main", "ABC"), true},
		"prefixes":               {rule("tag", `/^v(.+)$/`, `a-{\1}`), rule("tag", `/^v(.+)$/`, `b-{\1}`), false},
		"whole anchored name":    {rule("tag", `/^[0-9.]+$/`, "{sourceref}"), rule("branch", "main", "latest"), false},
		"whole name, unanchored": {rule("tag", `/[0-9.]+/`, "{sourceref}"), rule("branch", "main", "latest"), true},
		"text after a group":     {rule("tag", `/^([0-9]+)/`, `{\1}-x`), rule("tag", `/^([0-9]+)/`, `{\1}-y`), false},
		"slug and a name":        {rule("branch", `/^feature/`, `{slug}`), rule("branch", "feature/x", `{slug}`), true},
		"slug and a group":       {rule("branch", `/^x/`, `b-{slug}`), rule("tag", `/^(\d+)/`, `{\1}`), false},
		"two groups and one":     {rule("tag", `/^(\d+)\.(\d+)$/`, `{\1}.{\2}`), rule("tag", `/^([\d.]+)$/`, `{\1}`), true},
	} {
		rules := []buildrule.Rule{named("a", row.a), named("b", row.b)}
		problems := buildrule.Validate(rules)
		if got := len(problems) > 0; got != row.shared || len(problems.Errors()) > 0 {
			t.Errorf("%s: %v", what, problems)
			continue
		}
		if row.shared && (len(problems.Warnings()) != 1 || problems[0].Rule != "b" || !strings.Contains(problems[0].Error(), "rule a")) {
			t.Errorf("%s: %v", what, problems)
		}
	}
}

// Templates that take long to compare end in a warning, not in hours.
func TestComparingTagsIsBounded(t *testing.T) {
	var rules []buildrule.Rule
	for i := range buildrule.MaxRules {
		r := named(fmt.Sprintf("r%d", i), rule("tag", "/^(a*)$/"))
		for k := range buildrule.MaxTemplates / buildrule.MaxRules {
			r.Tags = append(r.Tags, strings.Repeat(`a{\1}`, 48)+fmt.Sprintf("-%d-%d", i, k))
		}
		rules = append(rules, r)
	}
	problems := buildrule.Validate(rules)
	if len(problems.Errors()) > 0 || len(problems) == 0 || problems[0].Index != -1 || !problems[0].Warning {
		t.Error(problems)
	}
}

// All rules together have so many tags: what they give is an event of each push.
func TestTemplatesAreBoundedTogether(t *testing.T) {
	var rules []buildrule.Rule
	for i := range 5 {
		r := named(fmt.Sprintf("r%d", i), rule("tag", "v1"))
		for k := range 41 {
			r.Tags = append(r.Tags, fmt.Sprintf("t%d-%d", i, k))
		}
		rules = append(rules, r)
	}
	if p := buildrule.Validate(rules); len(p) != 1 || p[0].Index != -1 || !strings.Contains(p[0].Error(), "at most 200") {
		t.Error(p)
	}
	if p := buildrule.Validate(rules[:4]); len(p) > 0 {
		t.Error(p)
	}
}

// Two rules that do give one tag were warned of.
func FuzzSharedTags(f *testing.F) {
	f.Add(`/^v(.*)$/`, `{\1}`, `/(\d+)/`, `{\1}`, "v1", "1")
	f.Add("main", "{sourceref}", `/^[a-z]+$/`, "{sourceref}", "main", "main")
	f.Add(`/^a/`, "{slug}", `/(.*)/`, `a-{\1}`, "a/b", "b")
	f.Add(`/(?i)^(ſ|x)$/`, `{\1}`, "S", "s", "s", "S")
	f.Fuzz(func(t *testing.T, source, template, source2, template2, ref, ref2 string) {
		rules := []buildrule.Rule{named("a", rule("tag", source, template)), named("b", rule("tag", source2, template2))}
		problems := buildrule.Validate(rules)
		if len(problems) > 0 {
			return
		}
		a := buildrule.Evaluate(rules, buildrule.Ref{Kind: "tag", Name: ref})[0]
		b := buildrule.Evaluate(rules, buildrule.Ref{Kind: "tag", Name: ref2})[1]
		if len(a.Tags) > 0 && slices.Equal(a.Tags, b.Tags) {
			t.Errorf("both give %q", a.Tags)
		}
	})
}

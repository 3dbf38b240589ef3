package buildrule

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"hubledger/services/internal/plaintext"
	"hubledger/services/internal/repository"
)

var (
	nameSyntax     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	argSyntax      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	targetSyntax   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	platformSyntax = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$`)
	secretSyntax   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
)

// Validate says what is wrong with a set of rules. Rules with errors must not be
// saved; warnings are for people to look at. It never panics, and its time is bounded.
func Validate(rules []Rule) Problems {
	if len(rules) > MaxRules {
		return Problems{{Index: -1, What: fmt.Sprintf("there are %d rules", len(rules)), Why: fmt.Sprintf("a set has at most %d", MaxRules), Fix: "let one pattern match several refs"}}
	}
	var all Problems
	size, text, templates, named := 0, 0, 0, map[string]int{}
	var sound []compiled
	for i, r := range rules {
		c, problems := check(r, i)
		if size += c.size; size > repository.MaxProgram {
			problems = append(problems, tooManySteps(r, i))
		}
		text, templates = text+textBytes(r), templates+len(r.Tags)
		if first, twice := named[r.Name]; twice && r.Name != "" {
			problems = append(problems, Problem{Rule: nameOf(r, i), Index: i, Field: "name", What: fmt.Sprintf("%s is the name of rule #%d too", quoted(r.Name), first+1), Why: "needs and verdicts name rules", Fix: "give it a name of its own"})
		} else {
			named[r.Name] = i
		}
		if all = append(all, problems...); len(problems.Errors()) == 0 {
			sound = append(sound, c.compiled)
		}
	}
	if text > MaxTextBytes {
		all = append(all, Problem{Index: -1, What: fmt.Sprintf("all texts together have %d bytes", text), Why: fmt.Sprintf("a set has at most %d", MaxTextBytes), Fix: "let one pattern match several refs"})
	}
	if templates > MaxTemplates {
		all = append(all, Problem{Index: -1, Field: "tags", What: fmt.Sprintf("all rules together have %d", templates), Why: fmt.Sprintf("a set has at most %d", MaxTemplates), Fix: "leave some out"})
	}
	all = append(all, checkNeeds(rules)...)
	if len(all.Errors()) == 0 {
		all = append(all, cacheTags(sound)...)
		all = append(all, sharedTags(sound)...)
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return a.Index - b.Index })
	return all
}

func tooManySteps(r Rule, i int) Problem {
	return Problem{Rule: nameOf(r, i), Index: i, Field: fieldOf(r), What: "the patterns of all rules together repeat too much", Why: fmt.Sprintf("they have at most %d steps, and x{100} has 100", repository.MaxProgram), Fix: "use + or * instead of large counts"}
}

// fieldOf is the field that says which refs a rule is for.
func fieldOf(r Rule) string {
	kind, _ := sourceOf(r)
	return kind
}

// nameOf names a rule for people: #3 is the third one, whose name is not usable.
func nameOf(r Rule, i int) string {
	if r.Name == "" || len(r.Name) > MaxName || !nameSyntax.MatchString(r.Name) {
		return fmt.Sprintf("#%d", i+1)
	}
	return r.Name
}

// shown is a text from outside, short and without characters that act on a terminal.
func shown(s string) string {
	const long = 80
	if len(s) > long {
		s = strings.ToValidUTF8(s[:long], "") + "…"
	}
	return plaintext.Line(s)
}

// quoted is shown in quotes, with backslashes as they are.
func quoted(s string) string { return `"` + shown(s) + `"` }

// A checker collects the problems of one rule.
type checker struct {
	Problems
	rule  string
	index int
}

func (c *checker) add(field, what, why, fix string) {
	c.Problems = append(c.Problems, Problem{Rule: c.rule, Index: c.index, Field: field, What: what, Why: why, Fix: fix})
}

func (c *checker) at(field, text string, bad *patternError) {
	at := min(bad.offset, len(text))
	c.Problems = append(c.Problems, Problem{Rule: c.rule, Index: c.index, Field: field, What: fmt.Sprintf("%s cannot be used", quoted(text)),
		Why: bad.why, Fix: bad.fix, Offset: at, Column: utf8.RuneCountInString(text[:at]) + 1})
}

type checked struct {
	compiled
	size int // of the pattern's program
}

// check is what is wrong with one rule by itself, and the rule compiled.
func check(r Rule, index int) (checked, Problems) {
	c := &checker{rule: nameOf(r, index), index: index}
	out := checked{compiled: compiled{Rule: r}}
	if len(r.Name) > MaxName || !nameSyntax.MatchString(r.Name) {
		c.add("name", fmt.Sprintf("%s is no name of a rule", quoted(r.Name)), fmt.Sprintf("a name is 1 to %d lower-case letters, digits, _ and -, and begins with a letter or digit", MaxName), "write one such as release")
	}
	c.source(r, &out)
	c.tags(r.Tags, &out)
	if why := badInside(r.Context); why != "" {
		c.add("context", fmt.Sprintf("%s is no path in the repository", quoted(r.Context)), why, "write a path from the root of the repository, such as docker/app")
	} else if why := badDockerfile(r.Context, r.Dockerfile); why != "" {
		c.add("dockerfile", fmt.Sprintf("%s is no path in the repository", quoted(r.Dockerfile)), why, "write a path from the context, such as Dockerfile or docker/app.Dockerfile")
	}
	if why := badInside(r.Readme); why != "" {
		c.add("readme", fmt.Sprintf("%s is no path in the repository", quoted(r.Readme)), why, "write a path from the root of the repository, such as README.md")
	}
	if r.Autotest != "" {
		c.oneOf("autotest", r.Autotest, AutotestOff, AutotestOwn, AutotestAll)
	}
	if r.Rebuild != "" {
		c.oneOf("rebuild", r.Rebuild, RebuildOff, RebuildBase)
	}
	if r.Target != "" && (len(r.Target) > MaxKey || !targetSyntax.MatchString(r.Target)) {
		c.add("target", fmt.Sprintf("%s is no name of a stage", quoted(r.Target)), "", "write the name behind AS in the Dockerfile")
	}
	c.table("args", r.Args, argSyntax, "a build arg's name is letters, digits and _, and begins with no digit")
	c.table("labels", r.Labels, labelSyntax, "a label's name is letters, digits and . _ / -")
	if r.SBOM {
		for name := range r.Args {
			if strings.EqualFold(name, "BUILDKIT_ATTEST_SBOM") {
				c.add("args", name+" and sbom say the same in two ways", "BuildKit would take either of them", "leave one of them out")
			}
		}
	}
	c.list("platforms", r.Platforms, platformSyntax, "a platform is system/architecture or system/architecture/variant", "write one such as linux/amd64 or linux/arm/v7")
	c.list("secrets", r.Secrets, secretSyntax, "a secret is given by its name: letters, digits and . _ -", "save the secret with the repository and write its name")
	for _, t := range []struct{ field, text string }{{"idle", r.Idle}, {"timeout", r.Timeout}} {
		if d := duration(t.text); t.text != "" && (d <= 0 || d > MaxTime) {
			c.add(t.field, fmt.Sprintf("%s is no time that a build can have", quoted(t.text)), "it is given in whole minutes or hours, from 1m to 4h", "write one such as 45m or 2h")
		}
	}
	c.list("needs", r.Needs, nil, "", "")
	if c.list("paths", r.Paths, nil, "", "") {
		for _, glob := range r.Paths {
			if why := badGlob(glob); why != "" {
				c.add("paths", fmt.Sprintf("%s is no path filter", quoted(glob)), why, "write one such as src/** or !docs/**")
			}
		}
	}
	slices.SortStableFunc(c.Problems, func(a, b Problem) int { return strings.Compare(a.Field, b.Field) })
	return out, c.Problems
}

var labelSyntax = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

func (c *checker) oneOf(field, have string, want ...string) {
	if !slices.Contains(want, have) {
		c.add(field, fmt.Sprintf("%s is not known", quoted(have)), "", "write "+strings.Join(want, " or "))
	}
}

// list checks entries; a nil syntax takes any line.
func (c *checker) list(field string, entries []string, syntax *regexp.Regexp, why, fix string) bool {
	if len(entries) > MaxList {
		c.add(field, fmt.Sprintf("there are %d", len(entries)), fmt.Sprintf("a rule has at most %d", MaxList), "make two rules")
		return false
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if syntax != nil && (len(e) > MaxKey || !syntax.MatchString(e)) {
			c.add(field, fmt.Sprintf("%s cannot be used", quoted(e)), why, fix)
		} else if seen[e] {
			c.add(field, fmt.Sprintf("%s is there twice", quoted(e)), "", "leave one of them out")
		}
		seen[e] = true
	}
	return true
}

func (c *checker) table(field string, entries map[string]string, syntax *regexp.Regexp, why string) {
	if len(entries) > MaxList {
		c.add(field, fmt.Sprintf("there are %d", len(entries)), fmt.Sprintf("a rule has at most %d", MaxList), "leave some out")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		value := entries[key]
		switch {
		case len(key) > MaxKey || !syntax.MatchString(key):
			c.add(field, fmt.Sprintf("%s cannot be used", quoted(key)), why, "rename it")
		case len(value) > MaxValue || !utf8.ValidString(value) || strings.ContainsRune(value, 0):
			c.add(field, fmt.Sprintf("the value of %s cannot be used", key), fmt.Sprintf("a value is at most %d bytes of UTF-8 without NUL", MaxValue), "shorten it")
		}
	}
}

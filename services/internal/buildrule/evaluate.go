package buildrule

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"hubledger/services/internal/repository"
)

// A Set is compiled rules. It is safe for use by many goroutines.
type Set struct {
	rules []compiled
	size  int // of all patterns, in steps for each byte of a name
}

type compiled struct {
	Rule
	kind      string         // of the refs that it is for
	source    string         // their name or pattern
	pattern   *regexp.Regexp // nil for an exact name
	tree      *syntax.Regexp
	templates [][]part
	broken    string // why the rule cannot be used
	cached    bool   // builds of the set keep their layers in CacheTag
}

// Compile makes a Set, also of rules that Validate refuses: those skip every ref.
func Compile(rules []Rule) *Set {
	s := &Set{}
	size := 0
	for i, r := range rules {
		if i == MaxRules {
			break
		}
		c, problems := check(r, i)
		if size += c.size; size > repository.MaxProgram {
			problems = append(problems, tooManySteps(r, i))
		}
		if errs := problems.Errors(); len(errs) > 0 {
			first := errs[0]
			first.Rule = ""
			c.broken = first.Error()
		}
		c.cached = keepsLayers(rules)
		s.rules = append(s.rules, c.compiled)
	}
	s.size = min(size, repository.MaxProgram)
	return s
}

// Evaluate gives a verdict for every rule, in their order. Of more than MaxRules the
// rest has none: Validate refuses such a set.
func Evaluate(rules []Rule, ref Ref) []Verdict { return Compile(rules).Evaluate(ref) }

// Evaluate gives a verdict for every rule, in their order.
func (s *Set) Evaluate(ref Ref) []Verdict {
	budget := maxComparisons
	return s.within(&budget, ref)
}

// maxComparisons bounds what path filters cost, in components of paths: less than a
// second. When they are used up path filters let every ref pass.
const maxComparisons = 5_000_000

func (s *Set) within(budget *int, ref Ref) []Verdict {
	out := make([]Verdict, len(s.rules))
	bad := refName(ref.Name)
	for i, r := range s.rules {
		out[i] = r.evaluate(ref, bad, budget)
		out[i].Rule = nameOf(r.Rule, i)
	}
	return out
}

func (r compiled) evaluate(ref Ref, badName string, budget *int) Verdict {
	switch {
	case r.broken != "":
		return skip(RuleInvalid, "the rule cannot be used: %s", r.broken)
	case ref.PullRequest != "" && ref.Name == "":
		return skip(PullRequest, "it is not known to which branch the pull request goes: the git host has told neither that nor which branch is the default one")
	case badName != "":
		return skip(RefInvalid, "the ref's name is none that can be built: %s", badName)
	case ref.PullRequest != "" && ref.PullRequest != FromOwn && ref.PullRequest != FromFork:
		return skip(PullRequest, "it is not known where the pull request comes from")
	case r.kind != ref.Kind:
		return skip(KindDiffers, "the rule is for %s, and this is a %s", plural(r.kind), kind(ref.Kind))
	}
	groups := []string{ref.Name}
	name := quoted(ref.Name) + target(ref)
	because := "the name is " + name
	if r.pattern != nil {
		if groups = r.pattern.FindStringSubmatch(ref.Name); groups == nil {
			return skip(NameDiffers, "%s has nothing that %s matches", name, r.source)
		}
		because = fmt.Sprintf("%s matches %s", r.source, quoted(groups[0])) + target(ref)
	} else if ref.Name != r.source {
		return skip(NameDiffers, "the rule is for %s, and this is %s", quoted(r.source), name)
	}
	filtered, differ := r.filter(ref, budget)
	if differ != nil {
		return *differ
	}
	v := r.matched(ref, groups, because+filtered)
	v.PathsUnknown = len(r.Paths) > 0 && !ref.ChangesKnown && v.Outcome != Skip
	return v
}

// matched is the verdict on a ref that the rule is for.
func (r compiled) matched(ref Ref, groups []string, because string) Verdict {
	if ref.PullRequest != "" {
		return r.pullRequest(ref, because)
	}
	if !r.Autobuild {
		if r.Autotest == AutotestOwn || r.Autotest == AutotestAll {
			return Verdict{Outcome: Test, Reason: AutobuildOff, Detail: because + ", and it is not pushed because autobuild is off"}
		}
		return skip(AutobuildOff, "%s, but autobuild is off", because)
	}
	return r.tags(ref.Name, groups, because)
}

// filter holds changed files against the rule's path filters.
func (r compiled) filter(ref Ref, budget *int) (because string, differ *Verdict) {
	if len(r.Paths) == 0 {
		return "", nil
	}
	if !ref.ChangesKnown {
		return ", and it is not known yet which files changed: the path filter decides when the commit is fetched", nil
	}
	if ref.Every != "" {
		return ", and every file counts as changed: " + ref.Every, nil
	}
	few := len(ref.Changed) <= MaxChanged && !slices.ContainsFunc(ref.Changed, func(p string) bool { return len(p) > maxChangedPath })
	var file string
	var ok bool
	if few {
		file, ok = passes(r.Paths, ref.Changed, budget)
	}
	switch {
	case !few || *budget < 0:
		return ", and so many files changed that the path filter does not count", nil
	case !ok:
		v := skip(PathsDiffer, "no changed file matches %s; %s", shown(strings.Join(r.Paths, ", ")), changed(ref.Changed))
		return "", &v
	}
	return fmt.Sprintf(", and %s changed, which passes the path filter", quoted(file)), nil
}

// changed says which files changed.
func changed(files []string) string {
	const named = 2
	if len(files) == 0 {
		return "no file has changed"
	}
	var names []string
	for _, f := range files[:min(len(files), named)] {
		names = append(names, shown(f))
	}
	if more := len(files) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return "changed: " + and(names)
}

func (r compiled) pullRequest(ref Ref, because string) Verdict {
	fork := ref.PullRequest == FromFork
	switch {
	case r.Autotest == AutotestAll, r.Autotest == AutotestOwn && !fork:
		return Verdict{Outcome: Test, Reason: PullRequest, Untrusted: fork,
			Detail: because + ", and a pull request is only tested, never pushed"}
	case r.Autotest == AutotestOwn:
		return skip(PullRequest, "the pull request comes from a fork, and autotest is %q: only those of the repository itself are tested", AutotestOwn)
	}
	return skip(PullRequest, "it is a pull request, and autotest is off")
}

// tags is the verdict on a ref that is built if a template gives a tag.
func (r compiled) tags(name string, groups []string, because string) Verdict {
	v := Verdict{Outcome: Build, Reason: Matched, Detail: because}
	if r.pattern == nil {
		groups = nil // an exact name has no groups, only {sourceref}
	}
	for i, parts := range r.templates {
		tag, why, detail := expand(parts, name, groups)
		switch {
		case why != "":
			v.Refused = append(v.Refused, RefusedTag{Template: r.Tags[i], Reason: why, Detail: detail})
		case tag == CacheTag && r.cached:
			v.Refused = append(v.Refused, RefusedTag{Template: r.Tags[i], Reason: TagInvalid, Detail: cacheTaken + ", and the next one would take the tag"})
		case !slices.Contains(v.Tags, tag):
			v.Tags = append(v.Tags, tag)
		}
	}
	if len(v.Tags) > 0 {
		return v
	}
	first := v.Refused[0]
	v.Outcome, v.Reason, v.Detail = Skip, first.Reason, fmt.Sprintf("%s, but %s gives no tag: %s", because, first.Template, first.Detail)
	return v
}

// target says of a pull request how the branch is known that it goes to.
func target(ref Ref) string {
	switch {
	case ref.PullRequest == "":
		return ""
	case ref.Assumed:
		return " (the default branch: the git host has not told where the pull request goes to)"
	}
	return " (where the pull request goes to)"
}

func skip(why Reason, format string, args ...any) Verdict {
	return Verdict{Outcome: Skip, Reason: why, Detail: fmt.Sprintf(format, args...)}
}

func plural(kind string) string {
	if kind == Branch {
		return "branches"
	}
	return "tags"
}

func kind(k string) string {
	if k == Branch || k == Tag {
		return k
	}
	return fmt.Sprintf("ref of kind %s", quoted(k))
}

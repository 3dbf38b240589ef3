package buildrule

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Hooks are the names of Docker Hub's build hooks, in the order in which they run.
// build, test and push take the place of what is done without them.
var Hooks = []string{"post_checkout", "pre_build", "build", "post_build", "pre_test", "test", "post_test", "pre_push", "push", "post_push"}

// Extras are what a checkout has for the builds of one rule, beside its Dockerfile.
type Extras struct {
	Rule  string   `json:"rule"`
	Hooks []string `json:"hooks,omitempty"` // paths, in the order in which they run
	Tests []string `json:"tests,omitempty"` // paths of compose files whose service sut tests
	Notes []string `json:"notes,omitempty"`
}

// testFile is the name of an autotest: docker-compose.test.yml, or app-test.yml.
var testFile = regexp.MustCompile(`^.*[.-]test\.yml$`)

// IsTest says whether a file of that name, beside a Dockerfile, is an autotest.
func IsTest(name string) bool { return testFile.MatchString(name) }

// nearlyTest are names that Docker Hub did not take, but that look as if meant.
var nearlyTest = regexp.MustCompile(`^.*[.-]tests?\.ya?ml$`)

// ImportCheckout finds the hooks and autotests of every rule among the files of a
// checkout, given as slash paths from its root. The last list are notes on hooks and
// tests that no rule would run.
func ImportCheckout(rules []Rule, files []string) ([]Extras, []string) {
	known := map[string]bool{}
	byDir := map[string][]string{}
	for _, f := range files {
		if badInside(f) == "" && !known[inside(f)] {
			f = inside(f)
			known[f] = true
			byDir[path.Dir(f)] = append(byDir[path.Dir(f)], f)
		}
	}
	used := map[string]bool{}
	var out []Extras
	for i, r := range rules[:min(len(rules), MaxRules)] {
		dockerfile, _ := Locate(r, func(p string) bool { return known[p] })
		dir := path.Dir(dockerfile)
		e := Extras{Rule: nameOf(r, i)}
		if !known[dockerfile] {
			e.Notes = append(e.Notes, fmt.Sprintf("the checkout has no %s", shown(dockerfile)))
		}
		hooks := path.Join(dir, "hooks")
		for _, name := range Hooks {
			if f := path.Join(hooks, name); known[f] {
				e.Hooks = append(e.Hooks, f)
			}
		}
		e.Tests = tests(byDir[dir], &e.Notes)
		used[hooks], used[dir] = true, true
		for _, f := range byDir[hooks] {
			if !slices.Contains(Hooks, path.Base(f)) {
				e.Notes = append(e.Notes, fmt.Sprintf("%s is not run: hooks are named %s", shown(f), strings.Join(Hooks, ", ")))
			}
		}
		out = append(out, e)
	}
	return out, strays(known, used)
}

func tests(files []string, notes *[]string) []string {
	var out []string
	for _, f := range files {
		switch base := path.Base(f); {
		case IsTest(base):
			out = append(out, f)
		case nearlyTest.MatchString(base):
			*notes = append(*notes, fmt.Sprintf("%s is no autotest: its name would end with .test.yml or -test.yml", shown(f)))
		}
	}
	slices.Sort(out)
	slices.Sort(*notes)
	return out
}

// strays are notes on hooks and tests that are beside no rule's Dockerfile.
func strays(known, used map[string]bool) []string {
	var out []string
	for f := range known {
		dir, base := path.Split(f)
		dir = inside(dir)
		hook := path.Base(dir) == "hooks" && slices.Contains(Hooks, base)
		if (hook || IsTest(base)) && !used[dir] {
			out = append(out, fmt.Sprintf("%s is not used: it is not beside the Dockerfile of a rule", shown(f)))
		}
	}
	slices.Sort(out)
	return out
}

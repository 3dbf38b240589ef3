package buildrule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hubledger/services/internal/buildrule"
)

// A blank Dockerfile, a context that is a file, a Dockerfile that is a directory.
func TestLocate(t *testing.T) {
	files := []string{"Dockerfile", "app/Dockerfile", "app/alpine.Dockerfile"}
	for _, row := range []struct{ dockerfile, context, wantFile, wantContext string }{
		{"", "", "Dockerfile", "."},
		{"/", "/", "Dockerfile", "."},
		{"/app/Dockerfile", "/", "app/Dockerfile", "."},
		{"Dockerfile", "/app/", "app/Dockerfile", "app"},
		{"/alpine.Dockerfile", "app", "app/alpine.Dockerfile", "app"},
		{"../Dockerfile", "app", "Dockerfile", "app"},
		{"/", "app", "app/Dockerfile", "app"},
		{"", "/app/alpine.Dockerfile", "app/alpine.Dockerfile", "app"},
		{"app", "", "app/Dockerfile", "."},
		{"app/", "/", "app/Dockerfile", "."},
		{"not/there", "", "not/there", "."},
		{"../../app/Dockerfile", "../..", "app/Dockerfile", "."},
	} {
		r := with(rule("branch", "main", "x"), func(r *buildrule.Rule) { r.Dockerfile, r.Context = row.dockerfile, row.context })
		file, context := buildrule.Locate(r, func(p string) bool { return slices.Contains(files, p) })
		if file != row.wantFile || context != row.wantContext {
			t.Errorf("%q, %q: %s in %s", row.dockerfile, row.context, file, context)
		}
	}
}

func TestPathFilters(t *testing.T) {
	for _, row := range []struct {
		globs, file string
		passes      bool
	}{
		{"src/**", "src/a/b.go", true}, {"src/**", "srcs/a", false}, {"src", "src/a/b", true}, {"src/", "src/a", true}, {"/src", "src/a", true},
		{"*.md", "a.md", true}, {"*.md", "docs/a.md", false}, {"**/*.md", "docs/x/a.md", true}, {"**/*.md", "a.md", true},
		{"a/**/z", "a/z", true}, {"a/**/z", "a/b/c/z", true}, {"a/**/z", "a/b/c/y", false}, {"[ab].go", "b.go", true},
		{"!docs/**", "src/a", true}, {"!docs/**", "docs/a", false}, {"** !docs/** docs/keep", "docs/keep", true}, {"** !docs/**", "docs/x", false},
		{"src", "./src/../src/a", true}, {"go.mod", "go.mod", true}, {"go.mod", "x/go.mod", false},
	} {
		r := with(rule("branch", "main", "x"), func(r *buildrule.Rule) { r.Paths = strings.Fields(row.globs) })
		v := buildrule.Evaluate([]buildrule.Rule{r}, buildrule.Ref{Kind: "branch", Name: "main", Changed: []string{row.file}, ChangesKnown: true})[0]
		if (v.Outcome == buildrule.Build) != row.passes {
			t.Errorf("%s, %s: %+v", row.globs, row.file, v)
		}
	}
}

// Path filters that cost too much let a ref pass: a build is not lost.
func TestPathFiltersAreBounded(t *testing.T) {
	r := with(rule("branch", "main", "x"), func(r *buildrule.Rule) {
		for i := range buildrule.MaxList {
			r.Paths = append(r.Paths, fmt.Sprintf("**/%d*/**/x", i))
		}
	})
	ref := buildrule.Ref{Kind: "branch", Name: "main", ChangesKnown: true, Changed: []string{"a"}}
	if v := buildrule.Evaluate([]buildrule.Rule{r}, ref)[0]; v.Reason != buildrule.PathsDiffer {
		t.Errorf("%+v", v)
	}
	ref.Changed = slices.Repeat([]string{strings.Repeat("a/", 100)}, buildrule.MaxChanged)
	if v := buildrule.Evaluate([]buildrule.Rule{r}, ref)[0]; v.Outcome != buildrule.Build || !strings.Contains(v.Detail, "so many files changed") {
		t.Errorf("%+v", v)
	}
}

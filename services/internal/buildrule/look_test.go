package buildrule

import (
	"strings"
	"testing"
)

func branchRule(name string, paths ...string) Rule {
	return Rule{Name: name, Branch: "main", Tags: []string{name}, Autobuild: true, Paths: paths}
}

// Path filters are applied to what changed, and say why.
func TestChangedFiles(t *testing.T) {
	docs := branchRule("docs", "docs/**")
	ref := Ref{Kind: Branch, Name: "main"}
	for what, row := range map[string]struct {
		seen    Look
		outcome string
		detail  string
	}{
		"one of them":     {Look{Changed: []string{"a", "docs/b"}}, Build, `"docs/b" changed, which passes the path filter`},
		"none of them":    {Look{Changed: []string{"a", "b", "c", "d", "e"}}, Skip, "no changed file matches docs/**; changed: a, b and 3 more"},
		"one other":       {Look{Changed: []string{"a\x1b"}}, Skip, `no changed file matches docs/**; changed: a\u001b`},
		"nothing":         {Look{}, Skip, "no changed file matches docs/**; no file has changed"},
		"no one knows":    {Look{Every: "the commit is gone"}, Build, "every file counts as changed: the commit is gone"},
		"a file of rules": {Look{Changed: []string{"a"}, File: []byte("no rules")}, Skip, "no changed file"}, // which is not wanted
	} {
		verdicts, file := EvaluateLook([]Rule{docs}, false, ref, row.seen)
		if v := verdicts[0]; len(verdicts) != 1 || file != nil || v.Outcome != row.outcome || !strings.Contains(v.Detail, row.detail) || v.PathsUnknown {
			t.Errorf("%s: %+v, %+v", what, verdicts, file)
		}
	}
}

// Only rules that would build and have a path filter need the commit, unless the file
// in it may count.
func TestNeedsLook(t *testing.T) {
	docs, other, off := branchRule("docs", "docs/**"), branchRule("other", "x"), branchRule("off", "x")
	other.Branch, off.Autobuild = "other", false
	main := Ref{Kind: Branch, Name: "main"}
	first := main
	first.Every, first.ChangesKnown = FirstTime, true
	for what, row := range map[string]struct {
		rules    []Rule
		fromFile bool
		ref      Ref
		want     bool
	}{
		"no filter":          {[]Rule{branchRule("edge")}, false, main, false},
		"a filter":           {[]Rule{branchRule("edge"), docs}, false, main, true},
		"of another branch":  {[]Rule{other}, false, main, false},
		"that never builds":  {[]Rule{off}, false, main, false},
		"for the first time": {[]Rule{docs}, false, first, false},
		"a file":             {nil, true, first, true},
		"of a pull request":  {nil, true, Ref{Kind: Branch, Name: "main", PullRequest: FromOwn}, true},
		"of a fork":          {nil, true, Ref{Kind: Branch, Name: "main", PullRequest: FromFork}, false},
	} {
		if got := Compile(row.rules).NeedsLook(row.fromFile, row.ref); got != row.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// The file of the commit counts instead of the rules that were set; one that cannot be
// used builds nothing.
func TestFileOfCommit(t *testing.T) {
	ref := Ref{Kind: Branch, Name: "main"}
	set := []Rule{branchRule("set")}
	verdicts, file := EvaluateLook(set, true, ref, Look{})
	if file != nil || verdicts[0].Rule != "set" || verdicts[0].Outcome != Build {
		t.Errorf("no file: %+v, %+v", verdicts, file)
	}
	verdicts, file = EvaluateLook(set, true, ref, Look{File: []byte("version: 1\nrules:\n  - name: own\n    branch: main\n    tags: [own]\n    paths: [x]\n"), Changed: []string{"x"}})
	if len(verdicts) != 1 || verdicts[0].Rule != "own" || verdicts[0].Outcome != Build || file == nil || len(file.Rules) != 1 || !strings.HasPrefix(file.Digest, "sha256:") || file.Problem != "" {
		t.Errorf("a file: %+v, %+v", verdicts, file)
	}
	for what, seen := range map[string]Look{
		"line 3, column 11: ":   {File: []byte("version: 1\nrules:\n  - name: Own\n    branch: main\n    tags: [own]\n")},
		"the file is empty":     {File: []byte{}},
		"it is no regular file": {BadFile: "it is no regular file"},
		"(and 1 more)":          {File: []byte("version: 1\nrules:\n  - name: Own\n    branch: main\n    tags: [/]\n")},
	} {
		verdicts, file := EvaluateLook(set, true, ref, seen)
		if v := verdicts[0]; len(verdicts) != 1 || v.Rule != FileName || v.Outcome != Skip || v.Reason != FileInvalid || !strings.Contains(v.Detail, what) ||
			file.Problem == "" || file.Rules != nil || (file.Digest == "") != (seen.File == nil) {
			t.Errorf("%s: %+v, %+v", what, verdicts, file)
		}
	}
}

// What a fork has written says nothing of what is tested: the rules that were set do.
func TestFileOfFork(t *testing.T) {
	ref := Ref{Kind: Branch, Name: "main", PullRequest: FromFork}
	set := branchRule("set")
	set.Autotest = AutotestOwn
	hostile := Look{File: []byte("version: 1\nrules:\n  - name: own\n    branch: main\n    tags: [own]\n    autotest: all\n    network: true\n")}
	verdicts, file := EvaluateLook([]Rule{set}, true, ref, hostile)
	if file != nil || len(verdicts) != 1 || verdicts[0].Rule != "set" || verdicts[0].Outcome != Skip {
		t.Errorf("%+v, %+v", verdicts, file)
	}
	verdicts, file = EvaluateLook(nil, true, ref, hostile)
	if file != nil || len(verdicts) != 1 || verdicts[0].Outcome != Skip || verdicts[0].Reason != PullRequest {
		t.Errorf("%+v, %+v", verdicts, file)
	}
	ref.PullRequest = FromOwn
	if verdicts, file = EvaluateLook([]Rule{set}, true, ref, hostile); file == nil || len(verdicts) != 1 || verdicts[0].Outcome != Test {
		t.Errorf("%+v, %+v", verdicts, file)
	}
}

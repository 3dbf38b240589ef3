package buildrule

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"hubledger/events"
)

// A Look is what was seen in a commit before its rules are evaluated.
type Look struct {
	// Changed are the files that changed since the commit that was evaluated before;
	// Every says why all files count as changed instead, "" when they do not.
	Changed []string
	Every   string
	// File is the text of FileName in the commit, nil when it has none. BadFile says why
	// it cannot be read, "" when it can.
	File    []byte
	BadFile string
}

// Requested is the Every of a ref for which somebody has asked for the evaluation.
const Requested = "the build was asked for"

// FirstTime is the Every of a ref for which the rules were never evaluated.
const FirstTime = "the rules were never evaluated for it before"

// NeedsLook says whether the verdicts on a ref depend on the files of its commit.
// fromFile: the rules of FileName are taken when the commit has one.
func (s *Set) NeedsLook(fromFile bool, ref Ref) bool {
	return byFile(fromFile, ref) || slices.ContainsFunc(s.Evaluate(ref), func(v Verdict) bool { return v.PathsUnknown })
}

// byFile says whether the rules in FileName of a commit count. Those of a fork's do not:
// whoever opens a pull request would say what is tested, and how.
func byFile(fromFile bool, ref Ref) bool { return fromFile && ref.PullRequest != FromFork }

// EvaluateLook gives the verdicts of rules on a ref whose commit was looked at. With
// fromFile those of FileName count when the commit has one, and the second result says
// so; one that cannot be used has one verdict, and nothing is built.
func EvaluateLook(rules []Rule, fromFile bool, ref Ref, seen Look) ([]Verdict, *events.RulesFile) {
	ref.Changed, ref.ChangesKnown = seen.Changed, true
	if ref.Every == "" {
		ref.Every = seen.Every
	}
	if fromFile && !byFile(fromFile, ref) && len(rules) == 0 {
		return []Verdict{{Rule: FileName, Outcome: Skip, Reason: PullRequest, Detail: "the pull request comes from a fork, whose file of rules does not count, and no rules were set for commits without that file"}}, nil
	}
	if !byFile(fromFile, ref) || seen.File == nil && seen.BadFile == "" {
		return Evaluate(rules, ref), nil
	}
	f := &events.RulesFile{Problem: seen.BadFile}
	if f.Problem == "" {
		f.Digest = fmt.Sprintf("sha256:%x", sha256.Sum256(seen.File))
		of, problems := ParseFile(seen.File)
		if errs := problems.Errors(); len(errs) > 0 {
			f.Problem = errs[0].Error()
			if len(errs) > 1 {
				f.Problem += fmt.Sprintf(" (and %d more)", len(errs)-1)
			}
		}
		f.Rules = of
	}
	if f.Problem != "" {
		return []Verdict{{Rule: FileName, Outcome: Skip, Reason: FileInvalid, Detail: "the file cannot be used, so that nothing is built: " + f.Problem}}, f
	}
	return Evaluate(f.Rules, ref), f
}

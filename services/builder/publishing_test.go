package builder

import (
	"fmt"
	"strings"
	"testing"

	"hubledger/events"
)

// A build of a rule with a path filter keeps its tags while newer commits are skipped by
// that filter, and loses them to one that is not, also when that was followed by others.
func TestPublishBehindSkippedCommits(t *testing.T) {
	filtered := rule("docs")
	filtered.Paths = []string{"docs/**"}
	skipped := func(commit string) events.PushEvaluated {
		e := evaluated(commit)
		e.Verdicts = []events.RuleVerdict{{Rule: "docs", Outcome: events.OutcomeSkip, Reason: "paths_differ", Detail: "no changed file matches"}}
		return e
	}
	for name, c := range map[string]struct {
		then []string // what comes of newer commits, in their order
		want string
	}{
		"none":                   {nil, events.BuildSucceeded},
		"skipped":                {[]string{"skip"}, events.BuildSucceeded},
		"skipped twice":          {[]string{"skip", "skip"}, events.BuildSucceeded},
		"built":                  {[]string{"build"}, events.BuildSuperseded},
		"built and then skipped": {[]string{"build", "skip"}, events.BuildSuperseded},
		"not evaluated yet":      {[]string{"skip", ""}, "error"},
	} {
		w := newWorld(t)
		w.record(rulesOf(filtered))
		w.queue(20, "c1", filtered)
		w.record(events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1}, events.BuildPushed{Namespace: id(acme), Build: id(20), Epoch: 1, Digest: madeDigest})
		before := "c1"
		for n, what := range c.then {
			commit := fmt.Sprint("c", n+2)
			move := w.recordID(moved("refs/heads/main", before, commit))
			before = commit
			switch what {
			case "skip":
				w.recordBy(move, skipped(commit))
			case "build":
				w.recordBy(move, evaluated(commit, "docs"))
				w.queue(30+n, commit, filtered)
			}
		}
		b, err := w.Read.Build(t.Context(), id(20))
		check(t, err)
		end, err := w.publish(t.Context(), b)
		if c.want == "error" {
			if err == nil {
				t.Errorf("%s: it ended as %+v", name, end)
			}
			continue
		}
		if err != nil || end.Outcome != c.want {
			t.Errorf("%s: it ended as %+v, %v", name, end, err)
		}
	}
}

// A tag that several refs give stays with the one that moved last, in whatever order their
// builds end, and the others keep what they alone give. Deleted refs do not count.
func TestSharedTagStaysWithTheRefThatMovedLast(t *testing.T) {
	w := newWorld(t)
	release := rule("release")
	release.Readme = "README.md"
	commit := map[string]string{"refs/tags/v1.5": "c5", "refs/tags/v1.6": "c6", "refs/tags/v1.7": "c7", "refs/heads/main": "c2"}
	n := 20
	publish := func(ref string, own ...string) *events.BuildFinished {
		t.Helper()
		n++
		made := digestOf(n).String()
		w.tags.made = made
		w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(n), Source: id(git), Ref: ref, Commit: commit[ref], Rule: release, Tags: append(own, "latest")},
			events.BuildClaimed{Namespace: id(acme), Build: id(n), Builder: "local", Epoch: 1}, events.BuildPushed{Namespace: id(acme), Build: id(n), Epoch: 1, Digest: made, Readme: "of " + ref})
		b, err := w.Read.Build(t.Context(), id(n))
		check(t, err)
		end, err := w.publish(t.Context(), b)
		check(t, err)
		w.record(*end)
		return end
	}
	expect := func(end *events.BuildFinished, outcome, tags, why string) {
		t.Helper()
		got := ""
		if len(end.Refused) > 0 {
			got = end.Refused[0].Why
		}
		if end.Outcome != outcome || strings.Join(end.Tags, " ") != tags || got != why {
			t.Errorf("it ended as %+v, want %s with the tags %q, and refused because %q", end, outcome, tags, why)
		}
	}
	w.record(rulesOf(release))
	for _, ref := range []string{"refs/tags/v1.5", "refs/tags/v1.6", "refs/tags/v1.7"} {
		w.record(moved(ref, "", commit[ref]))
	}
	expect(publish("refs/tags/v1.6", "1.6"), events.BuildSucceeded, "1.6 latest", "")
	expect(publish("refs/tags/v1.7", "1.7"), events.BuildSucceeded, "1.7 latest", "")
	const has = "refs/tags/v1.7 moved later and has it"
	expect(publish("refs/tags/v1.6", "1.6"), events.BuildSucceeded, "1.6", has)
	expect(publish("refs/tags/v1.5", "1.5"), events.BuildSucceeded, "1.5", has)
	expect(publish("refs/tags/v1.5"), events.BuildSuperseded, "", has)
	if w.readme != "of refs/tags/v1.7" {
		t.Errorf("the README is %q", w.readme)
	}
	expect(publish("refs/tags/v1.7", "1.7"), events.BuildSucceeded, "1.7 latest", "")

	// A branch has the tag since the commit that was built, not since one that is skipped.
	w.record(moved("refs/heads/main", "c1", "c2"))
	expect(publish("refs/heads/main"), events.BuildSucceeded, "latest", "")
	w.record(moved("refs/tags/v1.7", "c7", "c8"), moved("refs/heads/main", "c2", "c3"))
	commit["refs/tags/v1.7"] = "c8"
	expect(publish("refs/tags/v1.7", "1.7"), events.BuildSucceeded, "1.7 latest", "")

	w.record(moved("refs/tags/v1.7", "c8", ""))
	expect(publish("refs/tags/v1.5", "1.5"), events.BuildSucceeded, "1.5 latest", "")
}

package builder

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/access"
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

// Whoever lost the right to push after the image was pushed sets no tag.
func TestTagsNeedTheRightToPush(t *testing.T) {
	for what, c := range map[string]struct {
		may  func(context.Context, string, string, string) (bool, error)
		has  func(context.Context, *builds.Rules) (string, error)
		want string // in the detail; "" for a build that succeeds
	}{
		"the right is there":  {mayAlways, setter, ""},
		"the right is gone":   {func(context.Context, string, string, string) (bool, error) { return false, nil }, setter, "may not push to acme/app any more"},
		"the account is gone": {func(context.Context, string, string, string) (bool, error) { return false, access.ErrAccount }, setter, access.ErrAccount.Error()},
		"the token is gone":   {func(context.Context, string, string, string) (bool, error) { return false, access.ErrCredential }, setter, access.ErrCredential.Error()},
		"nobody is left":      {mayAlways, func(context.Context, *builds.Rules) (string, error) { return "", ErrNoAccount }, ErrNoAccount.Error()},
	} {
		w := newWorld(t)
		w.MayPush, w.Account = c.may, c.has
		w.queue(20, "c1", rule("other"))
		w.record(events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1}, events.BuildPushed{Namespace: id(acme), Build: id(20), Epoch: 1, Digest: madeDigest})
		b, err := w.Read.Build(t.Context(), id(20))
		check(t, err)
		end, err := w.publish(t.Context(), b)
		check(t, err)
		if c.want == "" {
			if end.Outcome != events.BuildSucceeded || len(w.tags.set) != 1 {
				t.Errorf("%s: it ended as %+v with the tags %v", what, end, w.tags.set)
			}
			continue
		}
		if end.Outcome != events.BuildFailed || end.Reason != "denied" || !strings.Contains(end.Detail, c.want) || len(end.Refused) != 1 || len(w.tags.set) != 0 {
			t.Errorf("%s: it ended as %+v with the tags %v", what, end, w.tags.set)
		}
	}
}

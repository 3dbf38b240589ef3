package builder

import (
	"fmt"
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

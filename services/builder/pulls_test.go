package builder

import (
	"context"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
)

var pullRequest = events.PullRequest{Number: 7, From: events.PullFork, Target: "refs/heads/main"}

// pull moves pull request 7.
func pull(old, new string) events.PullRequestChanged {
	return events.PullRequestChanged{Namespace: id(acme), Source: id(git), Ref: "refs/pull/7/head", Old: old, New: new, PullRequest: pullRequest}
}

// ofPull queues a test of pull request 7.
func ofPull(n int, commit string, r events.BuildRule) events.BuildQueued {
	return events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(n), Source: id(git), Ref: "refs/pull/7/head", Kind: events.RefBranch, Commit: commit, Rule: r,
		Test: true, Untrusted: true, PullRequest: &pullRequest}
}

// A pull request whose rules ask for a test gets one, as what it is.
func TestPullRequestIsQueued(t *testing.T) {
	w := newWorld(t)
	w.record(pull("", "p1"))
	push := w.recordID(events.PushEvaluated{Namespace: id(acme), Repository: id(app), Name: "acme/app", Source: id(git), Ref: "refs/pull/7/head", Commit: "p1", PullRequest: &pullRequest,
		Verdicts: []events.RuleVerdict{{Rule: "base", Outcome: events.OutcomeTest, Untrusted: true}}})
	due, err := w.queueing().Due(t.Context(), time.Now())
	check(t, err)
	if len(due) != 1 || due[0].Cause != push {
		t.Fatalf("due are %+v", due)
	}
	c, err := w.queueing().Do(t.Context(), due[0])
	check(t, err)
	e := c.Event.(events.BuildQueued)
	if e.PullRequest == nil || *e.PullRequest != pullRequest || !e.Test || !e.Untrusted || e.Kind != events.RefBranch || e.Ref != "refs/pull/7/head" || len(e.Tags) != 0 {
		t.Errorf("%+v", e)
	}
}

// Of a pull request the newest commit is tested. Its build has no token to push, and none
// to pull what is private.
func TestPullRequestSuperseded(t *testing.T) {
	w := newWorld(t)
	r := rule("base")
	r.Args, r.Secrets, r.Cache = map[string]string{"A": "1"}, []string{"TOKEN"}, true
	w.record(pull("", "p1"), ofPull(20, "p1", r), pull("p1", "p2"), ofPull(21, "p2", r))
	w.queue(22, "c1", rule("base")) // of main
	w.start()
	if b := w.await(20, builds.Ended); b.End.Outcome != events.BuildSuperseded || !strings.Contains(b.End.Detail, "refs/pull/7/head") {
		t.Errorf("the older one ended as %+v", b.End)
	}
	if b := w.await(21, builds.Ended); b.End.Outcome != events.BuildSucceeded || b.End.Digest != "" || *b.Pull != pullRequest {
		t.Errorf("%+v", b)
	}
	w.await(22, builds.Pushed)
	for _, s := range w.driver.specs() {
		if s.Facts.Commit == "p2" && (s.Image != "" || s.Cache != "" || len(s.Args) > 0 || len(s.Secrets) > 0 || !s.Facts.Tests) {
			t.Errorf("the driver was told %+v", s)
		}
	}
	w.record(ofPull(23, "p2", r), events.BuildClaimed{Namespace: id(acme), Build: id(23), Builder: "other", Epoch: 1})
	hub := attempts{s: w.Builder, builder: "other"}
	claim := worker.Claim{Build: id(23), Epoch: 1}
	if _, _, err := hub.Token(t.Context(), claim, "acme/app", true); err == nil {
		t.Error("it gets a token to push")
	}
	for _, repository := range []string{"acme/app", "acme/private"} {
		if token, _, err := hub.Token(t.Context(), claim, repository, false); err != nil || token != "" {
			t.Errorf("%s: a token %q, %v", repository, token, err)
		}
	}
}

// Builds of a pull request that was closed while they waited are cancelled, wherever the
// process dies; what runs, and what others wait for, is left.
func TestClosingKilledAtEveryStep(t *testing.T) {
	other := ofPull(23, "p1", rule("base"))
	other.Ref, other.PullRequest = "refs/pull/8/head", &events.PullRequest{Number: 8, From: events.PullOwn}
	open := pull("", "p1")
	open.Ref, open.PullRequest = other.Ref, *other.PullRequest
	processtest.KillAtEveryStep(t, processtest.World{NewIDs: true,
		Prepare: prepared(rulesOf(rule("base"), rule("other")), pull("", "p1"), open, ofPull(20, "p1", rule("base")), ofPull(21, "p1", rule("other")), ofPull(22, "p1", rule("base")), other,
			events.BuildClaimed{Namespace: id(acme), Build: id(22), Builder: "local", Epoch: 1}, pull("p1", "")),
		Manager: func(t testing.TB, l *processtest.Life) process.Manager { return live(t, l).closing() },
		State: func(t testing.TB, l *processtest.Life) string {
			var all []string
			for n := 20; n <= 23; n++ {
				b, err := live(t, l).Read.Build(context.Background(), id(n))
				check(t, err)
				all = append(all, b.State+" "+b.End.Outcome+" "+b.End.Detail)
			}
			got := strings.Join(all, ", ")
			if !strings.HasSuffix(got, ", running  , waiting  ") {
				t.Errorf("the builds are %s", got)
			}
			return got
		}})
}

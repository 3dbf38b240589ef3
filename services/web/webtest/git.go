package webtest

import (
	"net/http"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/source"
	"hubledger/services/server/servertest"
	"hubledger/streams"
)

// A Git is what a Town has of git: the source admin/app, which is never swept, the rules
// of the repository admin/app for it, a build that failed, one that waits and one that
// succeeded, a trigger, a secret, a webhook, and the builder big-iron, which is invited; auditor may read the log. What git hosts and builds say is Hostile.
type Git struct {
	Source                   source.ID
	Repository               string // id
	Failed, Waiting, Success string // ids of builds
	Pull                     string // id of a build that waits, of a pull request from a fork
	Trigger                  string // id
	Delivery                 uint64 // sequence of a webhook
}

// Commit is that of all builds.
const Commit = "2ff13f712f0cc82b7e4dde808d47de32a7343952"

// hostileRef is a name that git takes.
const hostileRef = `refs/heads/"><script>alert(1)</script>`

// AddGit gives the town its Git.
func (t *Town) AddGit() {
	t.T.Helper()
	ctx := t.T.Context()
	d, err := t.Accounts().Repository(ctx, "admin/app")
	t.fatal(err)
	g := &t.Git
	g.Source, g.Repository = source.ID{Namespace: d.Namespace, Source: t.id()}, d.ID
	t.Done(source.Link(ctx, t.Log(), servertest.By, g.Source, "admin/app", events.SourceSettings{URL: "https://git.invalid/app.git", Host: events.HostGitHub, HookSecret: t.id()}))
	rule := events.DefaultBuildRule()
	rule.Name, rule.Branch, rule.Tags, rule.Secrets = "main", "main", []string{"latest", "{slug}"}, []string{"NPM_TOKEN"}
	t.Call(http.MethodPut, "/repositories/admin/app/rules", map[string]any{"source": "admin/app", "rules": []events.BuildRule{rule}})
	t.Call(http.MethodPut, "/repositories/admin/app/build-secrets/NPM_TOKEN", map[string]any{"value": "the value"})
	g.Trigger, g.Failed, g.Waiting, g.Success, g.Pull = t.id(), t.id(), t.id(), t.id(), t.id()
	t.append(events.MachineEnrolled{Machine: t.id(), Name: "auditor", Kind: events.MachineReader, Key: "U" + strings.Repeat("A", 55)})
	ns, repo := d.Namespace, d.ID
	t.append(events.TriggerCreated{Namespace: ns, Repository: repo, Trigger: g.Trigger, Name: Hostile, Hash: make([]byte, 32)})
	t.append(events.RefMoved{Namespace: ns, Source: g.Source.Source, Ref: hostileRef, Kind: events.RefBranch, New: Commit})
	g.Delivery = t.append(events.HookReceived{Namespace: ns, Source: g.Source.Source, Delivery: Hostile, Event: Hostile, Refs: []events.HookRef{{Ref: hostileRef, New: Commit}}, Repository: Hostile,
		Headers: map[string]string{"X-Note": Hostile}, Digest: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Size: 0})
	for _, id := range []string{g.Success, g.Failed, g.Waiting} {
		t.append(events.BuildQueued{Namespace: ns, Repository: repo, Build: id, Source: g.Source.Source, Ref: hostileRef, Kind: events.RefBranch, Commit: Commit, Rule: rule, Tags: []string{"latest"}})
	}
	fork := events.PullRequest{Number: 7, From: "fork", Target: "refs/heads/main"}
	t.append(events.PullRequestChanged{Namespace: ns, Source: g.Source.Source, Ref: "refs/pull/7/head", PullRequest: fork, New: Commit})
	t.append(events.BuildQueued{Namespace: ns, Repository: repo, Build: g.Pull, Source: g.Source.Source, Ref: "refs/pull/7/head", Kind: events.RefBranch, Commit: Commit, Rule: rule, Test: true, Untrusted: true, PullRequest: &fork})
	kept, err := streams.OpenBuildLog(ctx, t.Log())
	t.fatal(err)
	for step, text := range map[int]string{0: "fetching\n", 1: "one\n", 2: "\x1b[31mred " + Hostile + "\x1b[0m\nlast"} {
		t.fatal(kept.Append(ctx, g.Failed, step, []byte(text)))
	}
	began := time.Now()
	step := func(build string, n int, kind, name string, failed bool) events.BuildStepEnded {
		return events.BuildStepEnded{Namespace: ns, Repository: repo, Build: build, Epoch: 1, Step: n, Kind: kind, Name: name, Began: began, Took: int64(1500 * n), Failed: failed}
	}
	t.append(events.BuildClaimed{Namespace: ns, Repository: repo, Build: g.Failed, Builder: "local", Epoch: 1})
	t.append(step(g.Failed, 1, events.StepFetch, "fetch "+Commit, false))
	t.append(step(g.Failed, 2, events.StepBuild, "RUN echo "+Hostile, true))
	t.append(events.BuildFinished{Namespace: ns, Repository: repo, Build: g.Failed, Epoch: 1, Outcome: events.BuildFailed, Reason: "step", Detail: "it says " + Hostile})
	made := t.App.Digest().String()
	t.append(events.BuildClaimed{Namespace: ns, Repository: repo, Build: g.Success, Builder: "local", Epoch: 1, Scanner: "admin/app@" + made})
	t.append(step(g.Success, 1, events.StepFetch, "fetch "+Commit, false))
	t.append(events.BuildPushed{Namespace: ns, Repository: repo, Build: g.Success, Epoch: 1, Digest: made, Bases: []events.BuildBase{{Name: "docker.io/library/" + Hostile, Digest: made}}})
	t.append(events.MachineInvited{Machine: t.id(), Name: "big-iron", Kind: events.MachineBuilder, Hash: make([]byte, 32), Expires: began.Add(time.Hour)})
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // the hub sets its tags
		t.CatchUp()
		a := t.Admin.Get("/api/v1/builds/" + g.Success)
		if strings.Contains(a.Text, `"state":"ended"`) {
			return
		}
		if time.Now().After(end) {
			t.T.Fatalf("the build that was pushed does not end: %s", a.Text)
		}
	}
}

// append records an event.
func (t *Town) append(p events.Payload) uint64 {
	t.T.Helper()
	seq, err := command.Append(t.T.Context(), t.Log(), servertest.By, p, events.AnySeq)
	t.Done(seq, err)
	return seq
}

func (t *Town) id() string {
	t.T.Helper()
	id, err := command.NewID()
	t.fatal(err)
	return id
}

func (t *Town) fatal(err error) {
	t.T.Helper()
	if err != nil {
		t.T.Fatal(err)
	}
}

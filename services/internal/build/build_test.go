package build_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/build"
	"hubledger/services/internal/command"
	"hubledger/streams/streamtest"
)

var (
	by = command.By{Source: "/test", Actor: "tester"}
	id = build.ID{Namespace: "0191d1a0-0000-7000-8000-000000000001", Build: "0191d1a0-0000-7000-8000-000000000002"}
)

const someDigest = "sha256:91568bab538a6ae60824abd47894025d7ef2797d3ac9cd33e012886ef3d7c1e2"

// What a builder says of an image is bounded, and has digests where they belong.
func TestReportsAreChecked(t *testing.T) {
	base := events.BuildBase{Name: "docker.io/library/alpine:3.22", Digest: someDigest, Repository: "library/alpine", Tag: "3.22"}
	for what, change := range map[string]func(p *events.BuildPushed){
		"":                 func(*events.BuildPushed) {},
		"no digest":        func(p *events.BuildPushed) { p.Digest = "sha256:x" },
		"many bases":       func(p *events.BuildPushed) { p.Bases = slices.Repeat(p.Bases, events.MaxBuildBases+1) },
		"no name":          func(p *events.BuildPushed) { p.Bases[0].Name = "" },
		"no digest of one": func(p *events.BuildPushed) { p.Bases[0].Digest = "3.22" },
		"long text":        func(p *events.BuildPushed) { p.Bases[0].Tag = strings.Repeat("x", 1001) },
	} {
		log := streamtest.Open(t, "")
		p := events.BuildPushed{Namespace: id.Namespace, Build: id.Build, Epoch: 1, Digest: someDigest, Bases: []events.BuildBase{base}}
		change(&p)
		for _, before := range []events.Payload{events.BuildQueued{Namespace: id.Namespace, Build: id.Build}, events.BuildClaimed{Namespace: id.Namespace, Build: id.Build, Builder: "b", Epoch: 1}} {
			if _, err := command.Append(t.Context(), log, by, before, events.AnySeq); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := build.Say(t.Context(), log, by, id, 1, p); errors.Is(err, build.ErrReport) != (what != "") || what == "" && err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Every decision in every state: what is allowed is recorded, and what a builder says
// counts only while it has the build.
func TestDecisions(t *testing.T) {
	queued := events.BuildQueued{Namespace: id.Namespace, Build: id.Build, Ref: "refs/tags/v1", Kind: events.RefTag, Commit: "c"}
	step := events.BuildStepEnded{Namespace: id.Namespace, Build: id.Build, Epoch: 1, Step: 1, Kind: events.StepFetch}
	pushed := events.BuildPushed{Namespace: id.Namespace, Build: id.Build, Epoch: 1, Digest: someDigest}
	failed := events.BuildFinished{Namespace: id.Namespace, Build: id.Build, Epoch: 1, Outcome: events.BuildFailed}
	claimed := func(epoch int) events.BuildClaimed {
		return events.BuildClaimed{Namespace: id.Namespace, Build: id.Build, Builder: "b", Epoch: epoch}
	}
	lost := events.BuildLost{Namespace: id.Namespace, Build: id.Build, Builder: "b", Epoch: 1}
	unknown, ended, epoch, waits := build.ErrUnknown, build.ErrEnded, build.ErrEpoch, build.ErrNotWaiting
	type outcome struct{ queue, claim, say, sayOld, lose, end error }
	for name, c := range map[string]struct {
		before []events.Payload
		want   outcome
	}{
		"nothing":     {nil, outcome{nil, unknown, unknown, unknown, unknown, unknown}},
		"waiting":     {[]events.Payload{queued}, outcome{nil, nil, epoch, epoch, epoch, nil}},
		"running":     {[]events.Payload{queued, claimed(1)}, outcome{nil, waits, nil, epoch, nil, nil}},
		"with a step": {[]events.Payload{queued, claimed(1), step}, outcome{nil, waits, nil, epoch, nil, nil}},
		"pushed":      {[]events.Payload{queued, claimed(1), pushed}, outcome{nil, waits, epoch, epoch, epoch, nil}},
		"lost":        {[]events.Payload{queued, claimed(1), lost}, outcome{nil, nil, epoch, epoch, epoch, nil}},
		"failed":      {[]events.Payload{queued, claimed(1), failed}, outcome{nil, ended, ended, ended, ended, ended}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			for what, d := range map[string]struct {
				do   func(log command.Log) (uint64, error)
				want error
			}{
				"queue": {func(log command.Log) (uint64, error) { return build.Queue(ctx, log, by, queued) }, c.want.queue},
				"claim": {func(log command.Log) (uint64, error) {
					_, seq, err := build.Claim(ctx, log, by, id, "b", "")
					return seq, err
				}, c.want.claim},
				"say":     {func(log command.Log) (uint64, error) { return build.Say(ctx, log, by, id, 1, pushed) }, c.want.say},
				"say old": {func(log command.Log) (uint64, error) { return build.Say(ctx, log, by, id, 0, pushed) }, c.want.sayOld},
				"lose":    {func(log command.Log) (uint64, error) { return build.Lose(ctx, log, by, id, "b", 1, 0) }, c.want.lose},
				"end": {func(log command.Log) (uint64, error) {
					return build.End(ctx, log, by, id, events.BuildFinished{Outcome: events.BuildCancelled})
				}, c.want.end},
			} {
				log := streamtest.Open(t, "")
				for _, p := range c.before {
					if _, err := command.Append(ctx, log, by, p, events.AnySeq); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := d.do(log); !errors.Is(err, d.want) {
					t.Errorf("%s: %v, want %v", what, err, d.want)
				}
				last, err := log.LastSeq(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if grew := last > uint64(len(c.before)); grew != (d.want == nil && !(what == "queue" && len(c.before) > 0)) {
					t.Errorf("%s: an event was appended: %t", what, grew)
				}
			}
		})
	}
}

// A build is given up when it was lost twice. What was given back does not count. Each
// claim has the next epoch.
func TestLostBuilds(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	if _, err := build.Queue(ctx, log, by, events.BuildQueued{Namespace: id.Namespace, Build: id.Build}); err != nil {
		t.Fatal(err)
	}
	claim := func(want int) {
		if epoch, _, err := build.Claim(ctx, log, by, id, "b", ""); err != nil || epoch != want {
			t.Fatalf("claim %d has the epoch %d, %v", want, epoch, err)
		}
	}
	for k := range 3 {
		claim(k + 1)
		if _, err := build.Release(ctx, log, by, id, "b", k+1, ""); err != nil {
			t.Fatal(err)
		}
	}
	for k := range build.MaxLosses {
		claim(k + 4)
		if _, err := build.Lose(ctx, log, by, id, "b", k+4, k); err != nil {
			t.Fatal(err)
		}
	}
	p, _, err := command.Latest(ctx, log, events.BuildSubject(id.Namespace, id.Build))
	if f, ok := p.(events.BuildFinished); err != nil || !ok || f.Outcome != events.BuildGivenUp || f.Epoch != 5 || f.Detail == "" {
		t.Errorf("it ends as %+v, %v", p, err)
	}
}

// A build that builders give back each time is given up at last: its events do not fill the log.
func TestBuildsGivenBack(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	if _, err := build.Queue(ctx, log, by, events.BuildQueued{Namespace: id.Namespace, Build: id.Build}); err != nil {
		t.Fatal(err)
	}
	for k := range build.MaxAttempts {
		if epoch, _, err := build.Claim(ctx, log, by, id, "b", ""); err != nil || epoch != k+1 {
			t.Fatalf("claim %d: %d, %v", k+1, epoch, err)
		}
		if _, err := build.Release(ctx, log, by, id, "b", k+1, events.LacksHooks); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := build.Claim(ctx, log, by, id, "b", ""); !errors.Is(err, build.ErrEnded) {
		t.Errorf("it is claimed again: %v", err)
	}
	p, _, err := command.Latest(ctx, log, events.BuildSubject(id.Namespace, id.Build))
	if f, ok := p.(events.BuildFinished); err != nil || !ok || f.Outcome != events.BuildGivenUp || !strings.Contains(f.Detail, "gave it back 50 times") {
		t.Errorf("it ends as %+v, %v", p, err)
	}
}

// A builder says what belongs to its own attempt, within bounds, and nothing else: not of
// another build, whose subject it would be written to.
func TestReportsOfOthers(t *testing.T) {
	log := streamtest.Open(t, "")
	for _, before := range []events.Payload{events.BuildQueued{Namespace: id.Namespace, Build: id.Build}, events.BuildClaimed{Namespace: id.Namespace, Build: id.Build, Builder: "b", Epoch: 1}} {
		if _, err := command.Append(t.Context(), log, by, before, events.AnySeq); err != nil {
			t.Fatal(err)
		}
	}
	const other = "0191d1a0-0000-7000-8000-000000000009"
	step := events.BuildStepEnded{Namespace: id.Namespace, Build: id.Build, Epoch: 1, Step: 1, Kind: events.StepFetch}
	failed := events.BuildFinished{Namespace: id.Namespace, Build: id.Build, Epoch: 1, Outcome: events.BuildFailed}
	bad := map[string]events.Payload{
		"another build":     events.BuildStepEnded{Namespace: id.Namespace, Build: other, Epoch: 1, Step: 1, Kind: events.StepFetch},
		"another namespace": events.BuildFinished{Namespace: other, Build: id.Build, Epoch: 1, Outcome: events.BuildFailed},
		"another epoch":     events.BuildStepEnded{Namespace: id.Namespace, Build: id.Build, Epoch: 2, Step: 1, Kind: events.StepFetch},
		"another subject":   events.UserErased{User: other},
		"a claim":           events.BuildClaimed{Namespace: id.Namespace, Build: id.Build, Builder: "b", Epoch: 2},
		"a loss":            events.BuildLost{Namespace: id.Namespace, Build: id.Build, Builder: "b", Epoch: 1},
	}
	for what, change := range map[string]func(p *events.BuildStepEnded){
		"no number":   func(p *events.BuildStepEnded) { p.Step = 0 },
		"many steps":  func(p *events.BuildStepEnded) { p.Step = build.MaxSteps + 2 },
		"no kind":     func(p *events.BuildStepEnded) { p.Kind = "x" },
		"a long name": func(p *events.BuildStepEnded) { p.Name = strings.Repeat("x", build.MaxStepName+1) },
		"no text":     func(p *events.BuildStepEnded) { p.Name = "\xff" },
		"before zero": func(p *events.BuildStepEnded) { p.Took = -1 },
	} {
		p := step
		change(&p)
		bad["a step: "+what] = p
	}
	for what, change := range map[string]func(p *events.BuildFinished){
		"cancelled":     func(p *events.BuildFinished) { p.Outcome = events.BuildCancelled },
		"with tags":     func(p *events.BuildFinished) { p.Tags = []string{"latest"} },
		"with a digest": func(p *events.BuildFinished) { p.Digest = someDigest },
		"a long detail": func(p *events.BuildFinished) { p.Detail = strings.Repeat("x", build.MaxDetail+1) },
		"a long reason": func(p *events.BuildFinished) { p.Reason = strings.Repeat("x", 41) },
	} {
		p := failed
		change(&p)
		bad["an end: "+what] = p
	}
	for what, p := range bad {
		if _, err := build.Say(t.Context(), log, by, id, 1, p); !errors.Is(err, build.ErrReport) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, p := range []events.Payload{step, failed} {
		if _, err := build.Say(t.Context(), log, by, id, 1, p); err != nil {
			t.Errorf("%s: %v", p.EventType(), err)
		}
	}
}

// Every event of a build says which repository its image is for, whatever a builder
// says.
func TestEventsNameTheRepository(t *testing.T) {
	log := streamtest.Open(t, "")
	id := id
	id.Repository = "0191d1a0-0000-7000-8000-000000000003"
	check := func(what string, err error) {
		t.Helper()
		p, _, lerr := command.Latest(t.Context(), log, events.BuildSubject(id.Namespace, id.Build))
		if err != nil || lerr != nil {
			t.Fatal(what, err, lerr)
		}
		data, err := json.Marshal(p)
		if err != nil || p.EventType() != what || !strings.Contains(string(data), `"repository":"`+id.Repository+`"`) {
			t.Errorf("%s: %s, %v", what, data, err)
		}
	}
	say := func(epoch int, p events.Payload) error {
		_, err := build.Say(t.Context(), log, by, id, epoch, p)
		return err
	}
	claim := func() error {
		_, _, err := build.Claim(t.Context(), log, by, id, "b", "")
		return err
	}
	_, err := build.Queue(t.Context(), log, by, events.BuildQueued{Namespace: id.Namespace, Build: id.Build, Repository: id.Repository})
	check("build.queued.v1", err)
	check("build.claimed.v1", claim())
	_, err = build.Release(t.Context(), log, by, id, "b", 1, "")
	check("build.lost.v1", err)
	check("build.claimed.v1", claim())
	check("build.step_ended.v1", say(2, events.BuildStepEnded{Namespace: id.Namespace, Build: id.Build, Repository: "another", Epoch: 2, Step: 1, Kind: events.StepFetch}))
	check("build.pushed.v1", say(2, events.BuildPushed{Namespace: id.Namespace, Build: id.Build, Epoch: 2, Digest: someDigest}))
	_, err = build.End(t.Context(), log, by, id, events.BuildFinished{Outcome: events.BuildCancelled})
	check("build.finished.v1", err)
}

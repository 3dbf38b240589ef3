package builds_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
)

var madeFrom = []events.BuildBase{{Name: "docker.io/library/alpine:3.22", Digest: "sha256:a", Repository: "library/alpine", Tag: "3.22"},
	{Name: "example.com/tool@sha256:b", Digest: "sha256:b", Platform: "linux/arm64"}}

// buildStory queues three builds: one that is lost, built and pushed, one that waits,
// and one that is cancelled.
func buildStory() []events.Payload {
	queued := func(n int, rule string, tags ...string) events.BuildQueued {
		return events.BuildQueued{Namespace: id(acme), Repository: id(40), Build: id(n), Source: id(app), Ref: "refs/tags/v1", Kind: events.RefTag, Commit: "c1",
			Rule: events.BuildRule{Name: rule, Tag: "/^v/", Tags: []string{"{sourceref}"}, Cache: true}, Tags: tags}
	}
	claimed := func(epoch int, builder string) events.BuildClaimed {
		return events.BuildClaimed{Namespace: id(acme), Build: id(50), Builder: builder, Epoch: epoch, Scanner: "tools/syft@sha256:" + builder}
	}
	step := func(epoch, n int, kind string, failed bool) events.BuildStepEnded {
		return events.BuildStepEnded{Namespace: id(acme), Build: id(50), Epoch: epoch, Step: n, Kind: kind, Name: kind + " it", Began: noon, Took: 1500, Failed: failed}
	}
	return []events.Payload{queued(50, "release", "v1", "latest"), queued(51, "other", "x"), queued(52, "test"),
		claimed(1, "one"), step(1, 1, events.StepFetch, false), events.BuildLost{Namespace: id(acme), Build: id(50), Builder: "one", Epoch: 1},
		claimed(2, "two"), step(2, 1, events.StepFetch, false), step(2, 2, events.StepBuild, false), events.BuildPushed{Namespace: id(acme), Build: id(50), Epoch: 2, Digest: "sha256:d", Bases: madeFrom},
		events.BuildFinished{Namespace: id(acme), Build: id(52), Outcome: events.BuildCancelled},
		events.BuildFinished{Namespace: id(acme), Build: id(50), Epoch: 2, Outcome: events.BuildSucceeded, Digest: "sha256:d", Tags: []string{"v1"},
			Refused: []events.BuildTag{{Tag: "latest", Why: "a newer commit has it"}}, Provenance: "sha256:p"},
		events.BuildLogSealed{Namespace: id(acme), Build: id(50), Digest: "sha256:log", Size: 90, Written: 300}}
}

// A build has hooks when a builder has found some, has run one, or has said so of the build
// that it makes again.
func TestHooks(t *testing.T) {
	queued := events.BuildQueued{Namespace: id(acme), Repository: id(40), Build: id(60), Source: id(app), Ref: "refs/tags/v1", Kind: events.RefTag, Commit: "c1"}
	again := queued
	again.Hooks = true
	lost := events.BuildLost{Namespace: id(acme), Build: id(60), Builder: "one", Epoch: 1, Released: true}
	lacks := lost
	lacks.Lacks = events.LacksHooks
	step := events.BuildStepEnded{Namespace: id(acme), Build: id(60), Epoch: 1, Step: 1, Kind: events.StepBuild, Name: "x", Began: noon}
	hook := step
	hook.Hooks = true
	for _, c := range []struct {
		list []events.Payload
		want bool
	}{{[]events.Payload{queued, lost, step}, false}, {[]events.Payload{again}, true}, {[]events.Payload{queued, lacks, lost}, true}, {[]events.Payload{queued, hook, step}, true}} {
		onEach(t, c.list, func(t *testing.T, r builds.Reader) {
			if b, err := r.Build(t.Context(), id(60)); err != nil || b.Hooks != c.want {
				t.Errorf("%+v: hooks %t, %v", c.list, b.Hooks, err)
			}
		})
	}
}

func TestSealedLogs(t *testing.T) {
	onEach(t, buildStory(), func(t *testing.T, r builds.Reader) {
		ctx := t.Context()
		l, err := r.SealedLog(ctx, id(50))
		if err != nil || *l != (builds.SealedLog{Digest: "sha256:log", Size: 90, Written: 300, Time: noon.Add(13 * time.Minute)}) {
			t.Errorf("sealed as %+v, %v", l, err)
		}
		if _, err := r.SealedLog(ctx, id(52)); !errors.Is(err, builds.ErrNotFound) {
			t.Errorf("the log of the other: %v", err)
		}
		for _, c := range []struct {
			before time.Time
			want   int
		}{{noon.Add(11 * time.Minute), 0}, {noon.Add(time.Hour), 1}} {
			if list, err := r.Unsealed(ctx, c.before, 9); err != nil || len(list) != c.want || c.want == 1 && list[0].ID != id(52) {
				t.Errorf("unsealed before %v: %v, %v", c.before, list, err)
			}
		}
	})
}

func TestBuilds(t *testing.T) {
	list := buildStory()
	onEach(t, list, func(t *testing.T, r builds.Reader) {
		ctx := t.Context()
		b, err := r.Build(ctx, id(50))
		check(t, err)
		want := list[0].(events.BuildQueued)
		if b.Namespace != id(acme) || b.Repository != id(40) || b.Source != id(app) || b.Ref != want.Ref || b.Kind != want.Kind || b.Commit != "c1" || !reflect.DeepEqual(b.Rule, want.Rule) ||
			!reflect.DeepEqual(b.Tags, want.Tags) || b.Seq != 1 || !b.Queued.Equal(noon.Add(time.Minute)) || b.Actor != "tester" {
			t.Errorf("the build was queued as %+v", b)
		}
		end := list[11].(events.BuildFinished)
		end.Namespace, end.Build, end.Epoch = "", "", 0
		if b.State != builds.Ended || b.Epoch != 2 || b.Builder != "two" || b.Scanner != "tools/syft@sha256:two" || b.Hooks || !b.Claimed.Equal(noon.Add(7*time.Minute)) || !reflect.DeepEqual(b.End, end) {
			t.Errorf("it ended as %+v", b)
		}
		steps, err := r.Steps(ctx, id(50))
		if got, want := fmt.Sprint(len(steps), steps[0].Epoch, steps[2].Epoch, steps[2].Number, steps[2].Kind, steps[2].Took), "3122build1.5s"; err != nil || strings.ReplaceAll(got, " ", "") != want {
			t.Errorf("steps %+v, %v", steps, err)
		}
		if got, err := r.Bases(ctx, id(50)); err != nil || !reflect.DeepEqual(got, madeFrom) {
			t.Errorf("it was made from %+v, %v", got, err)
		}
		for state, want := range map[string]string{builds.Waiting: "other", builds.Running: "", builds.Pushed: "", builds.Ended: "test release"} {
			all, err := r.InState(ctx, state)
			check(t, err)
			var names []string
			for _, b := range all {
				names = append(names, b.Rule.Name)
			}
			if n, err := r.CountInState(ctx, state); err != nil || n != len(all) {
				t.Errorf("%d are counted in the state %s, %v; there are %d", n, state, err, len(all))
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s are %q, want %q", state, got, want)
			}
		}
		page, err := r.Builds(ctx, id(40), 3, 9)
		if err != nil || len(page) != 2 || page[0].ID != id(51) || page[1].ID != id(50) {
			t.Errorf("builds before event 3: %+v, %v", page, err)
		}
		for _, err := range []error{second(r.Build(ctx, id(7))), second(r.Build(ctx, "x")), second(r.OfCause(ctx, "none", "release"))} {
			if !errors.Is(err, builds.ErrNotFound) {
				t.Errorf("what is not there: %v", err)
			}
		}
	})
	// As it was before each event.
	for n, want := range map[int]string{3: "waiting 0 ", 4: "running 1 one", 6: "waiting 1 one", 7: "running 2 two", 10: "pushed 2 two"} {
		onEach(t, list[:n], func(t *testing.T, r builds.Reader) {
			b, err := r.Build(t.Context(), id(50))
			if got := fmt.Sprint(b.State, " ", b.Epoch, " ", b.Builder); err != nil || got != want {
				t.Errorf("after %d events it is %q, %v; want %q", n, got, err, want)
			}
		})
	}
}

package builder

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/build"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
)

// A build is claimed, built and pushed, with the settings of its rule, and says what it did.
func TestBuild(t *testing.T) {
	w := newWorld(t)
	r := rule("base")
	r.Context, r.Dockerfile, r.Target, r.Args, r.Cache = "sub", "D", "final", map[string]string{"A": "1"}, true
	w.queue(20, "c1", r)
	w.start()
	b := w.await(20, builds.Pushed)
	if b.Epoch != 1 || b.Builder != "local" || b.End.Digest != madeDigest {
		t.Errorf("it was built as %+v", b)
	}
	specs := w.driver.specs()
	if len(specs) != 1 {
		t.Fatalf("%d builds were prepared", len(specs))
	}
	s := specs[0]
	if s.ID != id(20)+"-1" || s.Context != "sub" || s.Dockerfile != "sub/D" || s.Target != "final" || s.Args["A"] != "1" || s.Image != "hub.test/acme/app" || s.Cache != "buildcache" ||
		s.Labels["org.opencontainers.image.revision"] != "c1" {
		t.Errorf("the driver was told %+v", s)
	}
	steps, err := w.Read.Steps(t.Context(), id(20))
	check(t, err)
	if len(steps) != 2 || steps[0].Kind != events.StepFetch || steps[1].Number != 2 || steps[1].Name != "[1/1] COPY . /" || steps[1].Took.Seconds() != 1 {
		t.Errorf("its steps are %+v", steps)
	}
	w.stop()
	if w.driver.left != 0 {
		t.Errorf("%d environments are left", w.driver.left)
	}
}

// A test pushes nothing; a build of a fork gets no build args.
func TestTestOnly(t *testing.T) {
	w := newWorld(t)
	r := rule("base")
	r.Args = map[string]string{"A": "1"}
	w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1", Rule: r, Test: true, Untrusted: true})
	w.start()
	if b := w.await(20, builds.Ended); b.End.Outcome != events.BuildSucceeded || b.End.Digest != "" {
		t.Errorf("it ended as %+v", b.End)
	}
	if s := w.driver.specs()[0]; s.Image != "" || s.Cache != "" || len(s.Args) != 0 {
		t.Errorf("the driver was told %+v", s)
	}
}

// What fails says what failed and why, by the kind of the driver.
func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		fetch, run     error
		reason, detail string
	}{
		"fetch":  {errors.New("no such commit"), nil, string(driver.Source), "no such commit"},
		"step":   {nil, &driver.Failure{Kind: driver.StepFailed, Text: "RUN false ended with 1"}, string(driver.StepFailed), "RUN false ended with 1"},
		"memory": {nil, fmt.Errorf("it: %w", &driver.Failure{Kind: driver.Memory, Text: "out of memory"}), string(driver.Memory), "out of memory"},
		"broken": {nil, errors.New("the machine is on fire"), string(driver.Broken), "the machine is on fire"},
	} {
		w := newWorld(t)
		w.driver.fetch = c.fetch
		w.driver.runs(func(context.Context, driver.Spec, func(driver.Event)) (driver.Result, error) {
			return driver.Result{}, c.run
		})
		w.queue(20, "c1", rule("base"))
		w.start()
		if b := w.await(20, builds.Ended); b.End.Outcome != events.BuildFailed || b.End.Reason != c.reason || b.End.Detail != c.detail {
			t.Errorf("%s: it ended as %+v", name, b.End)
		}
		w.stop()
	}
}

// Cancelling ends a build in the log at once, and then what runs of it.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	began, ended := make(chan struct{}), make(chan struct{})
	w.driver.runs(func(ctx context.Context, _ driver.Spec, _ func(driver.Event)) (driver.Result, error) {
		close(began)
		<-ctx.Done()
		close(ended)
		return driver.Result{}, &driver.Failure{Kind: driver.Cancelled, Text: "cancelled"}
	})
	w.queue(20, "c1", rule("base"))
	w.start()
	<-began
	seq, err := build.End(t.Context(), w.log, tester, build.ID{Namespace: id(acme), Build: id(20)}, events.BuildFinished{Outcome: events.BuildCancelled})
	check(t, err)
	check(t, w.View.Wait(t.Context(), seq))
	<-ended
	w.stop()
	if b := w.await(20, builds.Ended); b.End.Outcome != events.BuildCancelled || b.Seq == 0 {
		t.Errorf("it ended as %+v", b.End)
	}
	if last, err := w.log.LastSeq(t.Context()); err != nil || last != seq {
		t.Errorf("%d events came after the cancelling, %v", last-seq, err)
	}
}

// Of a branch the newest commit is built; those that wait behind it are superseded.
// What runs is left alone.
func TestSuperseded(t *testing.T) {
	w := newWorld(t)
	w.queue(20, "c1", rule("base"))
	w.queue(21, "c2", rule("base"))
	w.queue(22, "c2", rule("other"))
	w.start()
	w.await(21, builds.Pushed)
	w.await(22, builds.Pushed)
	if b := w.await(20, builds.Ended); b.End.Outcome != events.BuildSuperseded || b.Epoch != 0 {
		t.Errorf("the older one ended as %+v", b)
	}
}

// A rule that needs another one waits for its build, and ends with it when that fails.
func TestNeeds(t *testing.T) {
	for outcome, want := range map[string]string{events.BuildSucceeded: builds.Pushed, events.BuildFailed: builds.Ended} {
		w := newWorld(t)
		w.record(evaluated("c1", "base", "top"))
		wanted, err := w.Read.WantedBuilds(t.Context(), 9, 9)
		check(t, err)
		if len(wanted) != 2 {
			t.Fatalf("%d builds are wanted", len(wanted))
		}
		push := wanted[0].Push
		base := buildOf(push, "base")
		by := tester
		by.Cause = push
		queued := func(buildID string, r events.BuildRule) {
			_, err := build.Queue(t.Context(), w.log, by, events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: buildID, Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1", Rule: r, Tags: r.Tags})
			check(t, err)
		}
		queued(id(21), rule("top", "base"))
		w.start()
		seq, err := w.log.LastSeq(t.Context())
		check(t, err)
		check(t, w.View.Wait(t.Context(), seq))
		places, err := w.places(t.Context())
		check(t, err)
		if p := places[id(21)]; p == nil || p.Reason != "needs" || p.Position != 1 {
			t.Fatalf("it waits as %+v", p)
		}
		w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: base, Source: id(git), Ref: "refs/tags/x", Kind: events.RefTag, Commit: "c1", Rule: rule("base")},
			events.BuildFinished{Namespace: id(acme), Build: base, Outcome: outcome})
		if b := w.await(21, want); outcome == events.BuildFailed && (b.End.Outcome != events.BuildFailed || b.End.Reason != "need-failed" || b.Epoch != 0) {
			t.Errorf("it ended as %+v", b)
		}
		w.stop()
	}
}

// A build whose process died waits again and is built by the next one; it is given up
// when that dies, too. One that stops in order gives back what it has, which does not
// count.
func TestLostWithTheProcess(t *testing.T) {
	w := newWorld(t)
	hang := func(ctx context.Context, _ driver.Spec, _ func(driver.Event)) (driver.Result, error) {
		<-ctx.Done()
		return driver.Result{}, context.Cause(ctx)
	}
	dies := func() { // nothing more can be appended
		w.dead.Store(true)
		w.stop()
		w.dead.Store(false)
	}
	w.driver.runs(hang)
	w.queue(20, "c1", rule("base"))
	w.queue(21, "c1", rule("other"))
	w.start()
	w.await(20, builds.Running)
	w.await(21, builds.Running)
	dies()
	w.driver.runs(nil)
	w.start()
	for _, n := range []int{20, 21} {
		if b := w.await(n, builds.Pushed); b.Epoch != 2 || b.Losses != 1 {
			t.Errorf("build %d was pushed in epoch %d after %d losses", n, b.Epoch, b.Losses)
		}
	}
	w.driver.runs(hang)
	w.queue(22, "c1", rule("base"))
	for epoch, end := range []func(){w.stopInOrder, dies, w.stopInOrder, w.stopInOrder, dies} {
		w.start()
		for w.await(22, builds.Running).Epoch != epoch+1 {
		}
		end()
	}
	w.start()
	if b := w.await(22, builds.Ended); b.End.Outcome != events.BuildGivenUp || b.End.Detail == "" || b.Losses != 1 {
		t.Errorf("it ended as %+v", b)
	}
}

// A builder that is killed after any of its events, or before the next one is in the log, as
// after its push, leaves a build that the next one builds whole, once.
func TestBuilderKilledAfterEveryEvent(t *testing.T) {
	for after := 0; ; after++ {
		w := newWorld(t)
		w.queue(20, "c1", rule("base"))
		w.fuse.Store(int64(after))
		w.dead.Store(after == 0)
		w.start()
		lived := false
		for end := time.Now().Add(30 * time.Second); !w.dead.Load() && !lived; time.Sleep(time.Millisecond) {
			b, err := w.Read.Build(t.Context(), id(20))
			check(t, err)
			lived = b.State == builds.Pushed
			if time.Now().After(end) {
				t.Fatalf("after %d events the build is %+v", after, b)
			}
		}
		w.stop()
		w.dead.Store(false)
		w.fuse.Store(0)
		w.start()
		b := w.await(20, builds.Pushed)
		w.stop()
		steps, err := w.Read.Steps(t.Context(), id(20))
		check(t, err)
		whole := 0
		for _, s := range steps {
			if s.Epoch == b.Epoch {
				whole++
			}
		}
		if b.Losses > 1 || b.Epoch != b.Losses+1 || whole != 2 || b.End.Digest != madeDigest || w.driver.left != 0 {
			t.Errorf("killed after %d events it was built with %d of 2 steps, and is %+v; %d builds are left", after, whole, b, w.driver.left)
		}
		if lived {
			if after < 4 { // claimed, two steps, pushed
				t.Errorf("it was killed after %d events only", after)
			}
			return
		}
	}
}

// Tags are set while the commit is that of the ref; what cannot be set is told.
func TestPublish(t *testing.T) {
	immutable := &image.ImmutableError{Tag: "base", Digest: madeDigest}
	for name, c := range map[string]struct {
		commit  string // of the ref now
		refuse  map[string]error
		outcome string
		set     int
	}{
		"set":              {"c1", nil, events.BuildSucceeded, 2},
		"ref deleted":      {"", nil, events.BuildSucceeded, 2},
		"newer commit":     {"c2", nil, events.BuildSuperseded, 0},
		"one is immutable": {"c1", map[string]error{"base": immutable}, events.BuildSucceeded, 1},
		"all refused":      {"c1", map[string]error{"base": immutable, "latest": fmt.Errorf("gone: %w", images.ErrNotFound)}, events.BuildFailed, 0},
	} {
		w := newWorld(t)
		w.tags.refuse = c.refuse
		r := rule("base")
		r.Tags = []string{"base", "latest"}
		w.queue(20, "c1", r)
		w.record(events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1}, events.BuildPushed{Namespace: id(acme), Build: id(20), Epoch: 1, Digest: madeDigest})
		if c.commit != "c1" {
			w.record(moved("refs/heads/main", "c1", c.commit))
		}
		b, err := w.Read.Build(t.Context(), id(20))
		check(t, err)
		end, err := w.publish(t.Context(), b)
		check(t, err)
		if end.Outcome != c.outcome || len(end.Tags) != c.set || len(w.tags.set) != c.set || len(end.Tags)+len(end.Refused) != 2 || c.outcome != events.BuildSucceeded && end.Detail == "" {
			t.Errorf("%s: it ends as %+v, tags %v", name, end, w.tags.set)
		}
	}
	w := newWorld(t)
	w.tags.refuse = map[string]error{"base": errors.New("the disk is full")}
	w.queue(20, "c1", rule("base"))
	w.record(events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1}, events.BuildPushed{Namespace: id(acme), Build: id(20), Epoch: 1, Digest: madeDigest})
	b, err := w.Read.Build(t.Context(), id(20))
	check(t, err)
	if _, err := w.publish(t.Context(), b); err == nil {
		t.Error("what may work later is taken for a refusal")
	}
}

// A build gets a token for its own repository and for those of its namespace, and none
// for others: they are asked as by anybody.
func TestCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		repository          string
		push, test, foreign bool
		want                string // "": no token
		refused             bool
	}{
		"own, to push":       {"acme/app", true, false, false, "acme/app push", false},
		"own, to pull":       {"acme/app", false, false, false, "acme/app pull", false},
		"of the namespace":   {"acme/base", false, false, false, "acme/base pull", false},
		"of another one":     {"bob/private", false, false, false, "", false},
		"top-level":          {"busybox", false, false, false, "", false},
		"longer namespace":   {"acmes/base", false, false, false, "", false},
		"another, to push":   {"acme/base", true, false, false, "", true},
		"a test, to push":    {"acme/app", true, true, false, "", true},
		"of a fork, to pull": {"acme/base", false, true, true, "", false},
	} {
		w := newWorld(t)
		w.Token = func(_ context.Context, account, by, repository string, push bool) (string, time.Time, error) {
			if push {
				return repository + " push", time.Now().Add(time.Minute), nil
			}
			return repository + " pull", time.Now().Add(time.Minute), nil
		}
		w.record(events.BuildQueued{Namespace: id(acme), Repository: id(app), Build: id(20), Source: id(git), Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1", Rule: rule("base"), Test: c.test, Untrusted: c.foreign},
			events.BuildClaimed{Namespace: id(acme), Build: id(20), Builder: "local", Epoch: 1})
		got, ends, err := worker.CredentialsOf(attempts{w.Builder, "local", ""}, id(20)+"-1").Token(t.Context(), c.repository, c.push)
		if got != c.want || (err != nil) != c.refused || err == nil && !ends.After(time.Now()) {
			t.Errorf("%s: %q until %s, %v", name, got, ends, err)
		}
	}
}

// A repository that was deleted is not built for, and its name is not pushed to: that
// would make another repository.
func TestDeletedRepository(t *testing.T) {
	w := newWorld(t)
	w.Token = func(context.Context, string, string, string, bool) (string, time.Time, error) {
		return "token", time.Now(), nil
	}
	w.queue(20, "c1", rule("base"))
	w.record(evaluated("c1", "base"), events.RepositoryDeleted{Namespace: id(acme), Repository: id(app), Name: "acme/app"})
	if wanted, err := w.Read.WantedBuilds(t.Context(), 9, 9); err != nil || len(wanted) != 0 {
		t.Errorf("builds are wanted: %+v, %v", wanted, err)
	}
	if token, _, err := worker.CredentialsOf(attempts{w.Builder, "local", ""}, id(20)+"-1").Token(t.Context(), "acme/app", true); err == nil {
		t.Errorf("it may push by %q", token)
	}
	w.start()
	if b := w.await(20, builds.Ended); b.End.Outcome != events.BuildFailed || b.End.Detail != "the repository was deleted" || len(w.driver.specs()) != 0 {
		t.Errorf("it ended as %+v", b.End)
	}
	w.record(events.RepositoryRestored{Namespace: id(acme), Repository: id(app), Name: "acme/app"})
	w.queue(21, "c1", rule("base"))
	w.await(21, builds.Pushed)
}

// A file of the commit becomes the README of the repository when the tags are set, and
// is sent only when it is another one.
func TestReadme(t *testing.T) {
	w := newWorld(t)
	w.readme, w.driver.files = "before", map[string]string{"README.md": "# After"}
	r := rule("base")
	r.Readme = "README.md"
	w.queue(20, "c1", r)
	w.start()
	b := w.await(20, builds.Pushed)
	w.stop()
	pushedBy := func(n int) events.BuildPushed {
		last, _, err := command.Latest(t.Context(), w.log, events.BuildSubject(id(acme), id(n)))
		check(t, err)
		return last.(events.BuildPushed)
	}
	if p := pushedBy(20); p.Readme != "# After" || w.readme != "before" {
		t.Errorf("pushed was %+v; the README is %q", p, w.readme)
	}
	_, err := w.publish(t.Context(), b)
	check(t, err)
	if w.readme != "# After" {
		t.Errorf("the README is %q", w.readme)
	}
	clear(w.tags.set)
	w.queue(21, "c1", r)
	w.start()
	b = w.await(21, builds.Pushed)
	w.stop()
	if p := pushedBy(21); p.Readme != "" {
		t.Errorf("a README that is there is sent again: %+v", p)
	}
	_, err = w.publish(t.Context(), b)
	check(t, err)
	// An older commit does not bring its README back.
	w.driver.files["README.md"] = "# Old"
	clear(w.tags.set)
	w.queue(22, "c1", r)
	w.start()
	b = w.await(22, builds.Pushed)
	w.stop()
	w.record(moved("refs/heads/main", "c1", "c2"))
	_, err = w.publish(t.Context(), b)
	check(t, err)
	if w.readme != "# After" {
		t.Errorf("the README is %q", w.readme)
	}
}

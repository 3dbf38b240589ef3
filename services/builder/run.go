package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
	"hubledger/services/internal/build"
	"hubledger/services/internal/buildrule"
)

// cacheTag is where the layers of a repository's builds are kept.
const cacheTag = "buildcache"

// A run is one attempt of the local builder at a build.
type run struct {
	s        *Builder
	b        *builds.Build
	epoch    int
	driver   driver.Driver
	registry string
	dir      string
	log      *logWriter
	steps    map[int]*step // of the driver, by its number
	failed   error         // why nothing more can be said of the build
}

type step struct {
	name  string
	began time.Time
}

// attempt names the attempt on this machine.
func (r *run) attempt() string { return fmt.Sprintf("%s-%d", r.b.ID, r.epoch) }

// run fetches, builds and pushes, and says how that ended. When ctx ends because the
// hub stops, the build is given back.
func (r *run) run(ctx context.Context) {
	r.log = newLogWriter(r.s.Log, r.b.ID, r.s.Logger)
	defer r.log.close()
	r.steps = map[int]*step{}
	digest, err := r.make(ctx)
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, errEnded) {
			r.log.write(0, []byte("the build was ended\n"))
			return
		}
		r.log.write(0, []byte("the hub stops: the build waits again\n"))
		r.release(context.WithoutCancel(ctx))
		return
	}
	if err == nil && r.failed == nil && digest != "" {
		r.say(ctx, events.BuildPushed{Namespace: r.b.Namespace, Build: r.b.ID, Epoch: r.epoch, Digest: digest})
		return
	}
	end := events.BuildFinished{Namespace: r.b.Namespace, Build: r.b.ID, Epoch: r.epoch, Outcome: events.BuildSucceeded}
	if err != nil {
		end.Outcome, end.Reason, end.Detail = events.BuildFailed, string(driver.Broken), err.Error()
		var f *driver.Failure
		if errors.As(err, &f) {
			end.Reason, end.Detail = string(f.Kind), f.Text
		}
		end.Detail = cut(end.Detail, maxDetail)
		r.log.write(0, []byte("error: "+end.Detail+"\n"))
	}
	r.say(ctx, end)
}

// releaseWithin bounds giving a build back.
const releaseWithin = 5 * time.Second

// release gives the build back. If that fails, it is lost.
func (r *run) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, releaseWithin)
	defer cancel()
	_, err := build.Release(ctx, r.s.Events, system(r.b), idOf(r.b), r.s.Local.Name, r.epoch)
	if err != nil && !errors.Is(err, build.ErrEnded) && !errors.Is(err, build.ErrEpoch) {
		r.s.Logger.Warn("a build cannot be given back; it waits again when the hub starts", "build", r.b.ID, "error", err)
	}
}

// say records something of the build. What cannot be recorded ends the attempt.
func (r *run) say(ctx context.Context, p events.Payload) {
	if p, ok := p.(events.BuildStepEnded); r.failed != nil || ok && p.Step > maxSteps {
		return // the log has all steps
	}
	if _, err := build.Say(ctx, r.s.Events, system(r.b), idOf(r.b), r.epoch, p); err != nil {
		r.failed = err
		if !errors.Is(err, build.ErrEnded) && !errors.Is(err, build.ErrEpoch) && ctx.Err() == nil {
			r.s.Logger.Warn("a build cannot be recorded", "build", r.b.ID, "error", err)
		}
	}
}

// make is the digest of the image that was pushed; "" for a test.
func (r *run) make(ctx context.Context) (digest string, err error) {
	if len(r.b.Rule.Secrets) > 0 && !r.b.Untrusted {
		return "", driver.Failuref(driver.Source, "the rule wants the secrets %s, and this version keeps none for builds", strings.Join(r.b.Rule.Secrets, ", "))
	}
	if live, err := r.s.Read.RepositoryLives(ctx, r.b.Repository); err != nil || !live {
		return "", cmp.Or(err, error(driver.Failuref(driver.Push, "the repository was deleted")))
	}
	checkout := filepath.Join(r.dir, r.attempt())
	if err := emptied(checkout); err != nil {
		return "", err
	}
	defer os.RemoveAll(checkout)
	r.log.write(0, fmt.Appendf(nil, "fetching %s of %s\n", r.b.Commit, r.b.Ref))
	began := time.Now()
	err = r.s.Local.Fetch(ctx, r.b, r.attempt(), checkout)
	r.say(ctx, r.stepEnded(0, events.StepFetch, "fetch "+r.b.Commit, began, false, err != nil))
	if err != nil {
		return "", &driver.Failure{Kind: driver.Source, Text: err.Error(), Err: err}
	}
	spec, err := r.spec(ctx, checkout)
	if err != nil {
		return "", err
	}
	made, err := r.driver.Prepare(ctx, spec)
	if err != nil {
		return "", err
	}
	result, err := made.Run(ctx, func(e driver.Event) { r.heard(ctx, e) })
	if left := made.Destroy(); left != nil {
		r.s.Logger.Error("something of a build is left on this machine", "build", r.b.ID, "error", left)
	}
	return result.Digest, err
}

// spec says what the driver is to build.
func (r *run) spec(ctx context.Context, checkout string) (driver.Spec, error) {
	rules, err := r.s.Read.Rules(ctx, r.b.Repository)
	if err != nil {
		return driver.Spec{}, err
	}
	root, err := os.OpenRoot(checkout)
	if err != nil {
		return driver.Spec{}, err
	}
	defer root.Close()
	dockerfile, place := buildrule.Locate(r.b.Rule, func(p string) bool {
		info, err := root.Stat(filepath.FromSlash(p))
		return err == nil && info.Mode().IsRegular()
	})
	spec := driver.Spec{ID: r.attempt(), Checkout: checkout, Context: place, Dockerfile: path.Clean(dockerfile), Target: r.b.Rule.Target,
		Labels: maps.Clone(r.b.Rule.Labels), Platforms: r.b.Rule.Platforms}
	if spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	const revision = "org.opencontainers.image.revision"
	spec.Labels[revision] = cmp.Or(spec.Labels[revision], r.b.Commit)
	if !r.b.Untrusted {
		spec.Args = r.b.Rule.Args
	}
	if !r.b.Test {
		spec.Image = r.registry + "/" + rules.Name
		if r.b.Rule.Cache {
			spec.Cache = cacheTag
		}
	}
	return spec, nil
}

// heard takes what the driver tells.
func (r *run) heard(ctx context.Context, e driver.Event) {
	switch e.Kind {
	case driver.Log:
		r.log.write(e.Step+1, e.Data)
	case driver.Warned:
		r.log.write(e.Step+1, []byte("warning: "+e.Text+"\n"))
	case driver.Began:
		r.steps[e.Step] = &step{e.Name, e.Time}
		r.log.write(e.Step+1, []byte("==> "+e.Name+"\n"))
	case driver.Cached:
		r.log.write(e.Step+1, []byte("==> "+e.Name+" (cached)\n"))
		r.say(ctx, r.stepEnded(e.Step, events.StepBuild, e.Name, e.Time, true, false))
	case driver.Ended, driver.Failed:
		known := r.steps[e.Step]
		if known == nil {
			return
		}
		delete(r.steps, e.Step)
		failed := e.Kind == driver.Failed && !strings.HasPrefix(known.name, "importing cache ") // the first build has no cache
		ended := r.stepEnded(e.Step, kindOf(known.name), known.name, known.began, false, failed)
		ended.Took = max(0, e.Time.Sub(known.began).Milliseconds())
		r.say(ctx, ended)
	}
}

// kindOf tells the pushing of an image from the steps that make it.
func kindOf(name string) string {
	if strings.HasPrefix(name, "exporting ") || strings.HasPrefix(name, "pushing ") {
		return events.StepPush
	}
	return events.StepBuild
}

// Bounds of what is recorded of a build. Names and details are bytes.
const (
	maxSteps    = 1000
	maxStepName = 1000
	maxDetail   = 4000
)

// cut is at most max bytes of a text.
func cut(text string, max int) string { return strings.ToValidUTF8(text[:min(len(text), max)], "") }

// stepEnded is the event of a step: 1 is the fetch, those of the driver come behind it.
func (r *run) stepEnded(number int, kind, name string, began time.Time, cached, failed bool) events.BuildStepEnded {
	return events.BuildStepEnded{Namespace: r.b.Namespace, Build: r.b.ID, Epoch: r.epoch, Step: number + 1, Kind: kind, Name: cut(name, maxStepName),
		Began: began.UTC(), Took: time.Since(began).Milliseconds(), Cached: cached, Failed: failed}
}

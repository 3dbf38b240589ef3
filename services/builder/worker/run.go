package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"hubledger/events"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/fetch"
	"hubledger/services/internal/build"
	"hubledger/services/internal/buildrule"
)

// A run is one attempt at a build.
type run struct {
	*Worker
	a      *Assignment
	log    *logWriter
	steps  map[int]*step // of the driver, by its number
	within bool          // the log does not end with a line end
	failed error         // why nothing more can be said of the build
	readme string        // see events.BuildPushed
}

type step struct {
	name  string
	began time.Time
}

// Build fetches, builds and pushes, and says how that ended. When ctx ends, but for
// ErrEnded, the build is given back.
func (w *Worker) Build(ctx context.Context, a *Assignment) {
	r := &run{Worker: w, a: a, log: newLogWriter(w.Hub, a.Claim, w.Logger), steps: map[int]*step{}}
	defer r.log.close()
	made, err := r.make(ctx)
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, ErrEnded) {
			r.line(0, "the build was ended")
			return
		}
		r.line(0, "the builder stops: the build waits again")
		r.release(context.WithoutCancel(ctx), "")
		return
	}
	var f *driver.Failure
	if errors.As(err, &f) && f.Kind == driver.NoHooks && a.Return {
		r.line(0, f.Text+". The build waits for a builder that does")
		r.log.close()
		r.release(ctx, events.LacksHooks)
		return
	}
	if err == nil && r.failed == nil && made.Digest != "" {
		r.log.close() // whoever sees what became of the build finds all of its log
		r.say(ctx, events.BuildPushed{Namespace: a.Namespace, Build: a.Build, Epoch: a.Epoch, Digest: made.Digest, Bases: made.Bases, Readme: r.readme})
		return
	}
	end := events.BuildFinished{Namespace: a.Namespace, Build: a.Build, Epoch: a.Epoch, Outcome: events.BuildSucceeded}
	if err != nil {
		end.Outcome, end.Reason, end.Detail = events.BuildFailed, string(driver.Broken), err.Error()
		if f != nil {
			end.Reason, end.Detail = string(f.Kind), f.Text
		}
		end.Detail = cut(end.Detail, build.MaxDetail)
		r.line(0, "error: "+end.Detail)
	}
	r.log.close()
	r.say(ctx, end)
}

// releaseWithin bounds giving a build back.
const releaseWithin = 5 * time.Second

// release gives the build back, because the builder lacks something for it, or stops. If
// that fails, it is lost.
func (r *run) release(ctx context.Context, lacks string) {
	ctx, cancel := context.WithTimeout(ctx, releaseWithin)
	defer cancel()
	err := r.Hub.Say(ctx, r.a.Claim, events.BuildLost{Namespace: r.a.Namespace, Build: r.a.Build, Epoch: r.a.Epoch, Released: true, Lacks: lacks})
	if err != nil && !gone(err) {
		r.Logger.Warn("a build cannot be given back; it waits again when the hub knows that its builder is gone", "build", r.a.Build, "error", err)
	}
}

// gone says whether an error means that the builder does not have the build any more.
func gone(err error) bool { return errors.Is(err, build.ErrEnded) || errors.Is(err, build.ErrEpoch) }

// say records something of the build. What cannot be recorded ends the attempt.
func (r *run) say(ctx context.Context, p events.Payload) {
	if p, ok := p.(events.BuildStepEnded); r.failed != nil || ok && p.Step > build.MaxSteps {
		return // the log has all steps
	}
	if r.failed = r.Hub.Say(ctx, r.a.Claim, p); r.failed != nil && !gone(r.failed) && ctx.Err() == nil {
		r.Logger.Warn("a build cannot be recorded", "build", r.a.Build, "error", r.failed)
	}
}

// make is what was pushed; without a digest for a test.
func (r *run) make(ctx context.Context) (result driver.Result, err error) {
	checkout := filepath.Join(r.Dir, r.a.String())
	if err := errors.Join(os.RemoveAll(checkout), os.MkdirAll(checkout, 0o700)); err != nil {
		return result, err
	}
	defer os.RemoveAll(checkout)
	if r.a.Epoch > 1 {
		r.within = true // as an earlier builder may have left it
		r.line(0, fmt.Sprintf("==> attempt %d: an earlier builder did not finish the build, which begins again", r.a.Epoch))
	}
	commit, err := r.fetch(ctx, checkout)
	if err != nil {
		return result, &driver.Failure{Kind: driver.Source, Text: err.Error(), Err: err}
	}
	spec, err := r.spec(checkout, commit)
	if err != nil {
		return result, err
	}
	if r.a.Rule.Readme != "" && !r.a.Test {
		if r.readme, err = readReadme(checkout, r.a.Rule.Readme, r.a.Readme); err != nil {
			r.line(0, fmt.Sprintf("warning: %s does not become the README: %v", r.a.Rule.Readme, err))
		}
	}
	made, err := r.Driver.Prepare(ctx, spec)
	if err != nil {
		return result, err
	}
	result, err = made.Run(ctx, func(e driver.Event) { r.heard(ctx, e) })
	if left := made.Destroy(); left != nil {
		r.Logger.Error("something of a build is left on this machine", "build", r.a.Build, "error", left)
	}
	return result, err
}

// fetch gets the files that are built.
func (r *run) fetch(ctx context.Context, checkout string) (commit fetch.Commit, err error) {
	began, what := time.Now(), r.a.Source.Commit
	if r.a.Upload != nil {
		what = "the uploaded directory " + r.a.Upload.Digest.String()
		r.line(0, fmt.Sprintf("fetching %s, %s", what, humanize.IBytes(uint64(r.a.Upload.Size))))
		err = r.fetchUpload(ctx, checkout)
	} else {
		r.line(0, fmt.Sprintf("fetching %s of %s", what, r.a.Source.Ref))
		commit, err = r.Fetcher.Fetch(ctx, r.a.String(), checkout, r.a.Source, fetch.DefaultLimits)
	}
	r.say(ctx, r.stepEnded(0, events.StepFetch, "fetch "+what, began, false, err != nil))
	return commit, err
}

// uploadWithin bounds fetching an uploaded directory.
const uploadWithin = 15 * time.Minute

func (r *run) fetchUpload(ctx context.Context, checkout string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, uploadWithin, fmt.Errorf("it took longer than %s", uploadWithin))
	defer cancel()
	token, _, err := r.Hub.Token(ctx, r.a.Claim, r.a.Repository, false)
	if err == nil {
		err = r.Uploads.Fetch(ctx, token, r.a.Repository, r.a.Upload.Digest, r.a.Upload.Size, checkout)
	}
	if err != nil {
		return fmt.Errorf("fetch the uploaded directory: %w", cmp.Or(context.Cause(ctx), err))
	}
	return nil
}

// spec says what the driver is to build.
func (r *run) spec(checkout string, commit fetch.Commit) (driver.Spec, error) {
	root, err := os.OpenRoot(checkout)
	if err != nil {
		return driver.Spec{}, err
	}
	defer root.Close()
	dockerfile, place := buildrule.Locate(r.a.Rule, func(p string) bool {
		info, err := root.Stat(filepath.FromSlash(p))
		return err == nil && info.Mode().IsRegular()
	})
	spec := driver.Spec{ID: r.a.String(), Checkout: checkout, Context: place, Dockerfile: path.Clean(dockerfile), Target: r.a.Rule.Target,
		Labels: maps.Clone(r.a.Rule.Labels), Platforms: r.a.Rule.Platforms,
		Facts: driver.Facts{Repository: r.Registry + "/" + r.a.Repository, Tags: r.a.Tags, Ref: r.a.Source.Ref, Commit: r.a.Source.Commit, Message: commit.Message,
			Context: r.a.Rule.Context, Tests: r.a.Test && r.a.Upload == nil || r.a.Rule.Autotest == buildrule.AutotestOwn || r.a.Rule.Autotest == buildrule.AutotestAll}}
	spec.Network = r.a.Rule.Network
	// A rule may not have more than the builder gives.
	if timeout, idle := buildrule.Limits(r.a.Rule); timeout > 0 || idle > 0 {
		spec.Limits = driver.Limits{Time: min(timeout, driver.DefaultLimits.Time), Idle: min(idle, driver.DefaultLimits.Idle)}
	}
	if spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	const revision = "org.opencontainers.image.revision"
	if spec.Labels[revision] == "" && r.a.Source.Commit != "" {
		spec.Labels[revision] = r.a.Source.Commit
	}
	if !r.a.Untrusted {
		spec.Args, spec.Secrets = r.a.Rule.Args, r.a.Secrets
	}
	if !r.a.Test {
		spec.Image = r.Registry + "/" + r.a.Repository
		if r.a.Rule.Cache {
			spec.Cache = buildrule.CacheTag
		}
		if r.a.Scanner != "" {
			spec.Scanner = r.Registry + "/" + r.a.Scanner
		}
	}
	return spec, nil
}

// line writes a line of the builder's own, which begins where a line begins.
func (r *run) line(step int, text string) {
	if r.within {
		text = "\n" + text
	}
	r.within = false
	r.log.write(step, []byte(text+"\n"))
}

// heard takes what the driver tells.
func (r *run) heard(ctx context.Context, e driver.Event) {
	switch e.Kind {
	case driver.Log:
		if len(e.Data) > 0 {
			r.within = e.Data[len(e.Data)-1] != '\n'
			r.log.write(e.Step+1, e.Data)
		}
	case driver.Warned:
		r.line(e.Step+1, "warning: "+e.Text)
	case driver.Began:
		r.steps[e.Step] = &step{e.Name, e.Time}
		r.line(e.Step+1, "==> "+e.Name)
	case driver.Cached:
		r.line(e.Step+1, "==> "+e.Name+" (cached)")
		r.say(ctx, r.stepEnded(e.Step, events.StepBuild, e.Name, e.Time, true, false))
	case driver.Ended, driver.Failed:
		known := r.steps[e.Step]
		if known == nil {
			return
		}
		delete(r.steps, e.Step)
		ended := r.stepEnded(e.Step, kindOf(known.name), known.name, known.began, false, e.Kind == driver.Failed)
		ended.Took = max(0, e.Time.Sub(known.began).Milliseconds())
		r.say(ctx, ended)
	}
}

// kindOf tells the testing and pushing of an image from the steps that make it.
func kindOf(name string) string {
	begins := func(prefixes ...string) bool { return beginsWith(name, prefixes...) }
	switch {
	case begins("exporting ", "pushing ", "hooks/pre_push", "hooks/push", "hooks/post_push"):
		return events.StepPush
	case begins("autotest ", "hooks/pre_test", "hooks/test", "hooks/post_test"):
		return events.StepTest
	}
	return events.StepBuild
}

// ofHooks says whether a step is one of those that a build with hooks or autotests has;
// the names of BuildKit's own are others.
func ofHooks(name string) bool { return beginsWith(name, "hooks/", "autotest ", "docker build") }

func beginsWith(name string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// cut is at most max bytes of a text.
func cut(text string, max int) string { return strings.ToValidUTF8(text[:min(len(text), max)], "") }

// stepEnded is the event of a step: 1 is the fetch, those of the driver come behind it.
func (r *run) stepEnded(number int, kind, name string, began time.Time, cached, failed bool) events.BuildStepEnded {
	return events.BuildStepEnded{Namespace: r.a.Namespace, Build: r.a.Build, Epoch: r.a.Epoch, Step: number + 1, Kind: kind, Name: cut(name, build.MaxStepName),
		Began: began.UTC(), Took: time.Since(began).Milliseconds(), Cached: cached, Failed: failed, Hooks: ofHooks(name)}
}
